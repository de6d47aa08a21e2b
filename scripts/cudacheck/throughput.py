"""Pictures per second of predict and eval, where their time goes, and PyTorch's own image tower beside it."""

import datetime
import json
import statistics

from inputs import PROMPT, json_lines
from program import Failed
from report import FAILED

GOAL = 450  # pictures a second at 518 pixels, on an H200
EAGER, COMPILED = 1.3, 1.0  # at least so many times as fast as PyTorch's tower
WARM = 2  # batches that do not count, if there are others


def rate(errors, batch, stage):
    """Pictures per second of the whole batches after the warm-up, from the progress events of --log json; None if there is one batch."""
    events = [event for event in json_lines(errors) if event["event"] == "progress" and event["stage"] == stage]
    times = {event["done"]: datetime.datetime.fromisoformat(event["time"]).timestamp() for event in events}
    ends = sorted(count for count in times if count % batch == 0)
    if len(ends) < 2:
        return None
    first, last = ends[min(WARM - 1, len(ends) - 2)], ends[-1]
    seconds = times[last] - times[first]
    return (last - first) / seconds if seconds > 0 else None


def arguments(check, precision, batch):
    clip, checkpoint = check.large
    return (
        "--clip", clip, "--checkpoint", checkpoint, "--device", check.device, "--precision", precision, "--batch", batch, "--log", "json",
        "--set", f"model.image_size={check.sizes.image_size}",
    )  # fmt: skip


def predict(check, precision, batch):
    count = min(check.sizes.pictures, max(128, 16 * batch))
    chosen = ("--files-from", check.chosen(count), "--class", PROMPT)
    result = check.acdclip("predict", *chosen, "--out", "-", *arguments(check, precision, batch), most=60)
    return rate(result.errors, batch, "predict"), result


def evaluate(check, precision, batch):
    """The rate, the Result and the costs that eval reports."""
    result = check.acdclip(
        "eval", "--target", f"drawn={check.pictures}", "--limit", check.sizes.evaluated, "--out", check.work / f"eval-{precision}-{batch}",
        *arguments(check, precision, batch), most=60,
    )  # fmt: skip
    costs = [event for event in json_lines(result.errors) if event["event"] == "costs"]
    return rate(result.errors, batch, "evaluate"), result, costs[-1]


def run(check, part):
    sizes = check.sizes
    part.say(
        f"{sizes.name} at {sizes.image_size} pixels, released adapters with random values, drawn PNG pictures of the same size. "
        f"A rate counts the pictures after the first {WARM} batches, from the file to the row."
    )
    rates = {}
    row = part.table("predict", ("format", "batch", "pictures a second", "seconds in all", "peak on the device, GB", "peak on the host, GB"))
    for precision, batch in sweep(sizes):
        try:
            rates[precision, batch], result = predict(check, precision, batch)
            row(precision, batch, rates[precision, batch], result.seconds, result.device_peak / 1e9, result.host_peak / 1e9)
        except Failed as problem:
            part.judge(f"predict in {precision} with batches of {batch}: {problem}", False)
    stages(check, part, rates)
    evaluations(check, part)
    part.numbers["rates"] = [{"format": precision, "batch": batch, "rate": value} for (precision, batch), value in rates.items()]
    check.rates = rates


def sweep(sizes):
    """The middle of the batches first, so that what matters most is measured if the time runs out."""
    order = sorted(sizes.batches, key=lambda batch: abs(sizes.batches.index(batch) - len(sizes.batches) // 2 - 0.1))
    return [("bf16", batch) for batch in order] + [("fp32", sizes.single)]


def evaluations(check, part):
    part.say(f"eval of {check.sizes.evaluated} pictures, with its own account of its seconds (reading is summed over goroutines):")
    row = part.table("eval", ("format", "batch", "pictures a second", "seconds in all", "model", "waiting for pictures", "reading", "metrics"))
    for precision, batch in sweep(check.sizes):
        try:
            value, result, costs = evaluate(check, precision, batch)
            row(precision, batch, value, result.seconds, costs["model"], costs["waiting"], costs["reading"], costs["metrics"])
        except Failed as problem:
            part.judge(f"eval in {precision} with batches of {batch}: {problem}", False)


def stages(check, part, rates):
    """Where the time of a batch goes, by `acdclip bench` if this program has it."""
    if "\n  bench " not in check.acdclip("--help").output:
        part.say("This acdclip has no `bench`: no stages.")
        return
    best = max((batch for _, batch in rates), key=lambda batch: rates.get(("bf16", batch)) or 0, default=check.sizes.single)
    part.say("Where the time of a batch goes, by `acdclip bench`, median of three rounds, seconds:")
    row = part.table("stages", ("batch", "stage", "seconds"))
    clip, checkpoint = check.large
    for batch in sorted({1, best}):
        try:
            result = check.acdclip(
                "bench", "--clip", clip, "--checkpoint", checkpoint, "--device", check.device, "--precision", "bf16", "--batch", batch,
                "--set", f"model.image_size={check.sizes.image_size}", "--rounds", 3, "--format", "json", most=60,
            )  # fmt: skip
        except Failed as problem:
            part.say(f"bench with batches of {batch}: {problem}")
            continue
        for stage in staged(json.loads(result.output)):
            row(batch, stage["stage"], statistics.median(stage["seconds"]))


def staged(report):
    """Stages that need no model, then those of the one format."""
    return [stage for stage in (report.get("common") or []) + report["formats"][0]["stages"] if stage.get("seconds")]


def run_peers(check, part):
    """PyTorch's tower alone on the same device, and the ratios of our whole way to it."""
    sizes = check.sizes
    part.say(
        "PyTorch's image tower alone, in bf16 with scaled_dot_product_attention, from normalised pictures that are on the device. Our rate "
        "beside it is that of predict, from files to rows. float32 is without TF32."
    )
    shape = (sizes.image_size, sizes.width, sizes.heads, sizes.depth, sizes.single, ",".join(str(batch) for _, batch in sweep(sizes)[:-1]))
    theirs = {}
    row = part.table("pytorch", ("side", "format", "batch", "pictures a second", "seconds to compile", "ours / theirs"))
    for side in ("eager", "compiled", "transfers"):
        for entry in peer(check, part, side, shape):
            if side == "transfers":
                part.numbers.setdefault("transfers", []).append(entry)
                continue
            key = entry["format"], entry["batch"]
            theirs[side, *key] = entry["rate"]
            ours = check.rates.get(key)
            row(side, *key, entry["rate"], entry["compile"], ours / entry["rate"] if ours else None)
    transfers(part)
    goals(check, part, theirs)


def peer(check, part, side, shape):
    """The lines of JSON that peer.py wrote, also if it was ended half way."""
    file = check.work / f"peer-{side}"
    try:
        check.python("peer.py", side, check.device, file, *shape, most=check.programs.left() * (0.3 if side == "eager" else 0.8))
    except Failed as problem:
        part.judge(f"PyTorch, {side}: {problem}", False)
    return json_lines(file.read_text()) if file.exists() else []


def transfers(part):
    part.say("Copies of a batch between host and device by PyTorch, milliseconds; ours are from and to pinned memory:")
    row = part.table("copies", ("batch", "what", "MB", "pageable", "pinned"))
    for entry in part.numbers.get("transfers", []):
        row(entry["batch"], entry["what"], entry["bytes"] / 1e6, entry["pageable"] * 1e3, entry["pinned"] and entry["pinned"] * 1e3)


def goals(check, part, theirs):
    rates = {batch: value for (precision, batch), value in check.rates.items() if precision == "bf16" and value}
    if not rates:
        part.say("No rate of ours in bf16, so no goal can be judged.")
        part.end(FAILED, "no rate of ours")
        return
    if check.tiny:
        part.say("The goals are for ViT-L/14 on an H200 and are not judged here.")
        return
    best = max(rates, key=rates.get)
    part.judge(f"at least {GOAL} pictures a second (an H200's goal): {rates[best]:.0f} with batches of {best}", rates[best] >= GOAL)
    for side, least in (("eager", EAGER), ("compiled", COMPILED)):
        rival = {batch: theirs[side, "bf16", batch] for batch in check.sizes.batches if (side, "bf16", batch) in theirs}
        if not rival:
            part.judge(f"at least {least} times as fast as {side} PyTorch: it was not measured", False)
            continue
        fastest = max(rival.values())
        ratio = rates[best] / fastest
        part.judge(f"at least {least} times as fast as {side} PyTorch, each with its best batch: {ratio:.2f}", ratio >= least)
