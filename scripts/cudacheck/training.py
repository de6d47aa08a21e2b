"""Training steps: the losses on the device against those on the CPU, then the time and memory of a large step."""

import pathlib
import tempfile

import numpy as np
from inputs import SMALL, json_lines
from program import Failed

BOUND = 1e-4  # of the loss, relative: Adam's first steps amplify rounding errors
STEPS = 4  # of the large CLIP; the first is a warm-up


def steps(check, clip, pictures, precision, device, size, count, batch):
    """The step events of a training without augmentation, an epoch a step, and the Result."""
    out = pathlib.Path(tempfile.mkdtemp(prefix="steps-", dir=check.work))
    settings = {
        "model.image_size": size, "train.batch": batch, "train.epochs": count, "train.lr_decay": 1, "train.augment": "false",
        "train.shuffle": "false",
    }  # fmt: skip
    result = check.acdclip(
        "train", "--clip", clip, "--auxiliary", f"drawn={pictures}", "--preset", "released", "--device", device, "--precision", precision,
        "--out", out, "--quiet", *(word for key, value in settings.items() for word in ("--set", f"{key}={value}")),
    )  # fmt: skip
    events = json_lines((out / "log.jsonl").read_text())
    return [event for event in events if event["event"] == "step"], result


def run(check, part):
    try:
        compare(check, part)
    except Failed as problem:
        part.judge(f"two steps with the tiny CLIP: {problem}", False)
    large(check, part)


def compare(check, part):
    """Two steps with the tiny CLIP, whose 12 blocks the preset's four groups divide."""
    losses = {}
    row = part.table("losses", ("side", "first step", "second step", "relative difference"))
    for side in (("cpu", "fp32"), (check.device, "fp32"), (check.device, "bf16")):
        device, precision = side
        events, _ = steps(check, check.small, check.small_pictures, precision, device, SMALL, 2, 8)
        losses[side] = [event["loss"] for event in events]
        row(f"{device} {precision}", *losses[side], relative(losses[side], losses["cpu", "fp32"]))
    worst = relative(losses[check.device, "fp32"], losses["cpu", "fp32"])
    part.judge(f"losses in float32 agree with the CPU's within {BOUND:g} of their value ({worst:.1e})", worst <= BOUND)
    part.say("The losses in bf16 are shown only: their matrices have 8 bits.")


def relative(got, want):
    """The largest difference of losses, relative to those wanted."""
    got, want = np.array(got), np.array(want)
    return float(np.max(np.abs(got - want) / np.abs(want)))


def large(check, part):
    clip, _ = check.large
    sizes, pictures = check.sizes, check.draw("training", check.sizes.batch, check.sizes.image_size)
    part.say(f"Steps of {sizes.batch} pictures with {sizes.name} at {sizes.image_size} pixels; the least of {STEPS - 1} after the first:")
    row = part.table("steps", ("format", "seconds a step", "peak on the device, GB", "peak on the host, GB", "loss"))
    for precision in ("fp32", "bf16"):
        try:
            events, result = steps(check, clip, pictures, precision, check.device, sizes.image_size, STEPS, sizes.batch)
        except Failed as problem:
            part.judge(f"a step in {precision}: {problem}", False)
            continue
        least = min(sizes.batch / event["pictures_per_second"] for event in events[1:])
        row(precision, least, result.device_peak / 1e9, result.host_peak / 1e9, events[-1]["loss"])
