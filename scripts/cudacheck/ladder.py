"""Every method and preset scores the same pictures on the CPU in float32, and on the device in float32 and bf16."""

import os
import pathlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from inputs import GOLDEN, PROMPT, SMALL, json_lines
from program import Failed

FLOAT32_BOUND = 1e-4  # largest difference of maps and scores from the CPU's
BF16_MAP_MEAN, BF16_SCORE = 0.005, 0.02  # mean difference of maps, largest of scores; the largest of maps is shown
TOGETHER = 4  # programs at a time


@dataclass(frozen=True)
class Rung:
    name: str
    arguments: tuple
    pictures: pathlib.Path
    peer: tuple = ()  # PyTorch's side: CLIP, checkpoint, preset, image size


def rungs(check):
    """The released preset has random parameters of the golden folder, the other trained ones come from a step of training."""
    golden, own, drawn = GOLDEN / "clip_tiny_openai.pt", check.small, check.small_pictures
    released, paper = GOLDEN / "released_n3_adapter_1.pth", train(check, "paper", golden, "--preset", "paper")
    size = ("--set", f"model.image_size={SMALL}")
    yield Rung("acdclip, the built-in model", (), drawn)
    yield Rung("acdclip released", ("--clip", golden, "--checkpoint", released, *size), drawn, (golden, released, "released", SMALL))
    yield Rung("acdclip paper", ("--clip", golden, "--checkpoint", paper), drawn, (golden, paper, "paper", SMALL))
    for preset in ("anomalib", "caoyunkang"):
        yield Rung(f"winclip {preset}", ("--clip", own, "--method", "winclip", "--preset", preset, *size), drawn)
    yield Rung("clip_ad SDP", ("--clip", own, "--method", "clip_ad", *size), drawn)
    for method in ("clip_ad", "anomalyclip", "adaclip"):
        name = "clip_ad SDP+" if method == "clip_ad" else method
        yield Rung(name, ("--clip", own, "--checkpoint", train(check, method, own, "--method", method)), drawn)
    (clip, checkpoint), size = check.large, check.sizes.image_size
    yield Rung(
        f"acdclip released, {check.sizes.name}, {size} pixels",
        ("--clip", clip, "--checkpoint", checkpoint, "--set", f"model.image_size={size}"),
        check.draw("few", 4, size), (clip, checkpoint, "released", size),
    )  # fmt: skip


def train(check, name, clip, *arguments):
    out = check.work / f"trained-{name}"
    check.acdclip(
        "train", "--clip", clip, "--auxiliary", f"drawn={check.small_pictures}", "--device", "cpu", "--threads", 1, "--out", out, "--quiet",
        "--set", f"model.image_size={SMALL}", "--set", "train.epochs=1", *arguments,
    )  # fmt: skip
    return out / "last.safetensors"


def score(check, rung, device, precision):
    """The maps [B, S, S] and scores [B] of a rung, in the order of its rows."""
    out = pathlib.Path(tempfile.mkdtemp(prefix="rung-", dir=check.work))
    check.acdclip(
        "predict", *pictures_of(rung), *rung.arguments, "--class", PROMPT, "--device", device, "--precision", precision,
        "--batch", 4, "--threads", max(1, len(os.sched_getaffinity(0)) // TOGETHER), "--save-maps=npy", "--format", "jsonl", "--out", out, "--quiet",
    )  # fmt: skip
    rows = json_lines((out / "predictions.jsonl").read_text())
    bad = [row["error"] for row in rows if row["error"]]
    if bad:
        raise Failed(f"{rung.name} on {device} in {precision}: {bad[0]}")
    return np.stack([np.load(out / row["map"]) for row in rows]), np.array([row["score"] for row in rows])


def pictures_of(rung):
    return sorted(rung.pictures.glob("*/test/*/*.png"))


def differences(got, want):
    """The largest and mean difference of maps, and the largest of scores."""
    maps, scores = (np.abs(a - b) for a, b in zip(got, want, strict=True))
    return float(maps.max()), float(maps.mean()), float(scores.max())


def run(check, part):
    part.say(
        f"Differences from the CPU in float32 (TF32 is off). Bounds: in float32 {FLOAT32_BOUND:g} for maps and scores; in bf16 a mean of "
        f"{BF16_MAP_MEAN:g} for maps and {BF16_SCORE:g} for scores. Maps and scores lie between 0 and 1."
    )
    all_rungs = list(rungs(check))
    row = part.table("ladder", ("method", "format", "maps, largest", "maps, mean", "scores, largest", "verdict"))
    missed = []
    with ThreadPoolExecutor(TOGETHER if check.device != "cpu" else 1) as pool:
        sides = [[pool.submit(score, check, rung, *side) for side in sides_of(check)] for rung in all_rungs]
        for rung, (cpu, *devices) in zip(all_rungs, sides, strict=True):
            for precision, side in zip(("fp32", "bf16"), devices, strict=True):
                values = compared(side, cpu)
                verdict = values if isinstance(values, str) else within(precision, values)
                row(rung.name, precision, *((None,) * 3 if isinstance(values, str) else values), verdict)
                missed += [f"{rung.name} {precision}"] if verdict != "held" else []
    part.judge(f"the device agrees with the CPU for every method{': not ' + ', '.join(missed) if missed else ''}", not missed)
    peers(check, part, [(rung, side) for rung, side in zip(all_rungs, sides, strict=True) if rung.peer])


def sides_of(check):
    return ("cpu", "fp32"), (check.device, "fp32"), (check.device, "bf16")


def compared(side, cpu):
    """The differences, or the reason why there are none."""
    try:
        return differences(side.result(), cpu.result())
    except (Failed, OSError, ValueError) as problem:
        return f"failed: {problem}"


def within(precision, values):
    largest, mean, scores = values
    if precision == "fp32":
        held = largest <= FLOAT32_BOUND and scores <= FLOAT32_BOUND
    else:
        held = mean <= BF16_MAP_MEAN and scores <= BF16_SCORE
    return "held" if held else "missed"


def peers(check, part, compared_rungs):
    """PyTorch itself with the same weights: how far it is from its own CPU result, and we from it."""
    part.say("The same with PyTorch (scripts/reference; bf16 by autocast), and our results beside PyTorch's on the same device in float32:")
    row = part.table("pytorch", ("method", "what", "maps, largest", "maps, mean", "scores, largest"))
    for rung, (cpu, device, _) in compared_rungs:
        try:
            file = check.work / "reference.npz"
            check.python("reference.py", *rung.peer, check.device, file, *pictures_of(rung), most=90)
            theirs = {side: (maps, scores) for side, maps, scores in read_sides(file)}
            row(rung.name, "PyTorch fp32", *differences(theirs["fp32"], theirs["cpu"]))
            row(rung.name, "PyTorch bf16", *differences(theirs["bf16"], theirs["cpu"]))
            row(rung.name, "ours and PyTorch, CPU", *differences(cpu.result(), theirs["cpu"]))
            row(rung.name, "ours and PyTorch, device", *differences(device.result(), theirs["fp32"]))
        except (Failed, OSError, ValueError) as problem:
            part.say(f"{rung.name}: not compared with PyTorch: {problem}")


def read_sides(file):
    with np.load(file) as content:
        for side in ("cpu", "fp32", "bf16"):
            yield side, content[f"{side}.maps"], content[f"{side}.scores"]
