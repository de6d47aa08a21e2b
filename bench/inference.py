"""Runs the sides of bench/inference.sh in turn, prints their ratios and writes this processor's part of BENCHMARKS.md.

Each round runs every side once in a process of its own, which runs the model once to warm up and then RUNS times; its
median counts. Ratios compare sides of the same round.
"""

import datetime
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys

import numpy as np
from PIL import Image

folder, clip, rounds = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
RUNS = 1
OURS = ("fp32", "bf16", "int8")
PEERS = {
    "released": "the authors' recipe, picture to map",
    "sdpa": "transformers, SDPA, float32, tower",
    "compiled": "torch.compile of it, tower",
    "openvino-fp32": "OpenVINO float32, tower",
    "openvino-bf16": "OpenVINO bfloat16, tower",
    "openvino-int8": "OpenVINO int8 (NNCF, SmoothQuant), tower",
    "onnxruntime-fp32": "ONNX Runtime float32, tower",
    "onnxruntime-int8": "ONNX Runtime dynamic int8, tower",
}
NAMES = {f"acdclip-{p}": f"acdclip {p}, file to score and map" for p in OURS} | PEERS
# What must hold: a side is at least so many times as fast as another.
BOUNDS = [
    ("acdclip-fp32", "openvino-fp32", 1.0),
    ("acdclip-fp32", "sdpa", 1.0),
    ("acdclip-fp32", "compiled", 1.0),
    ("acdclip-int8", "sdpa", 2.2),
]


TITLE = """# How fast

One picture of 518 x 518 pixels, ViT-L/14 with random weights, measured by `bench/inference.sh`, on one processor in each \
part. Another processor gives other ratios.
"""


def default_sides():
    """All sides; those in bfloat16 only where the processor computes in it."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return [side for side in NAMES if "avx512_bf16" in flags or not side.endswith("-bf16")]


def run(command):
    """A command's output and its peak memory in bytes."""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return output, usage.ru_maxrss * 1024


def peer(side, pixels, runs):
    return [sys.executable, "bench/inference/peer.py", side, clip, folder, pixels, runs]


def measure(side, pictures, pixels):
    """Seconds of one picture, peak memory, and for our sides all that `acdclip bench` says."""
    if side in PEERS:
        output, peak = run(peer(side, pixels, RUNS))
        return statistics.median(json.loads(output.splitlines()[-1])["seconds"]), peak, None
    precision = side.removeprefix("acdclip-")
    output, peak = run(
        ["bin/acdclip", "bench", pictures[0], "--clip", clip, "--checkpoint", folder / "run" / "last.safetensors", "--class", "hex bolt",
         "--precision", precision, "--rounds", RUNS, "--batch", 1, "--format", "json"]
    )  # fmt: skip
    result = json.loads(output)
    stages = {stage["stage"]: statistics.median(stage["seconds"]) for stage in result["formats"][0]["stages"]}
    return stages["predict, file to map"], peak, (result, stages)


def main():
    sides = sys.argv[4:] or default_sides()
    pictures = sorted(map(str, (folder / "drawn").rglob("*.png")))
    pictures = [p for p in pictures if "ground_truth" not in p]
    pixels = folder / "pixels"
    np.stack([np.asarray(Image.open(p).convert("RGB").resize((518, 518), Image.Resampling.BICUBIC)) for p in pictures]).tofile(pixels)
    for side in sides:
        if side.startswith(("openvino", "onnxruntime")):
            run(peer(side, pixels, 0))  # converts the model, which is not measured
    seconds, peaks, ours = {side: [] for side in sides}, {side: 0 for side in sides}, {}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            took, peak, told = measure(side, pictures, pixels)
            seconds[side].append(took)
            peaks[side] = max(peaks[side], peak)
            if told:
                ours[side] = told
            print(f"round {number + 1}, {side}: {took:.2f} s, {peak / 1e9:.2f} GB", flush=True)
    report(sides, seconds, peaks, ours)


def ratios(seconds, fast, slow):
    return [s / f for f, s in zip(seconds[fast], seconds[slow])]


def report(sides, seconds, peaks, ours):
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "transformers", "openvino", "nncf", "onnxruntime")]
    title, said = "## Peers", f"{datetime.date.today()}, {', '.join(versions)}; {rounds} rounds in turn."
    if ours:
        own = next(iter(ours.values()))[0]
        title = f"## {own['cpu']} ({own['instructions']}), {own['threads']} threads"
        said = f"{datetime.date.today()}, libtorch {own['libtorch']}; {', '.join(versions)}; {rounds} rounds in turn."
    lines = [title, "", said]
    base = "sdpa" if "sdpa" in sides else sides[0]
    lines += ["", f"| | median, s | all rounds, s | times as fast as {base} | peak memory, GB |", "|---|---:|---|---:|---:|"]
    for side in sorted(sides, key=lambda side: statistics.median(seconds[side])):
        times = f"{min(seconds[side]):.2f} to {max(seconds[side]):.2f}"
        ratio = statistics.median(ratios(seconds, side, base))
        lines.append(f"| {NAMES[side]} | {statistics.median(seconds[side]):.2f} | {times} | {ratio:.2f} | {peaks[side] / 1e9:.2f} |")
    failed = False
    checks = []
    for fast, slow, least in BOUNDS:
        if fast in sides and slow in sides:
            all_ratios = ratios(seconds, fast, slow)
            held = sum(ratio >= least for ratio in all_ratios)
            failed |= held < rounds
            checks.append(f"- {fast} against {slow}: {min(all_ratios):.2f} to {max(all_ratios):.2f} times as fast, at least {least} in {held} of {rounds} rounds")
    if checks:
        lines += ["", *checks]
    if ours:
        lines += ["", "Where our time goes, in seconds:", "", "| stage | " + " | ".join(ours) + " |", "|---|" + "---:|" * len(ours)]
        for stage in next(iter(ours.values()))[1]:
            lines.append(f"| {stage} | " + " | ".join(f"{told[1].get(stage, float('nan')):.3f}" for told in ours.values()) + " |")
    text = "\n".join(lines) + "\n"
    print("\n" + text)
    if set(sides) == set(default_sides()):
        write(title, text)
    (folder / "seconds.json").write_text(json.dumps(seconds))
    sys.exit(1 if failed else 0)


def write(title, text):
    """Replaces the part of BENCHMARKS.md with a title, or appends it."""
    path = pathlib.Path("BENCHMARKS.md")
    parts = ("\n" + path.read_text()).split("\n## ")[1:] if path.exists() else []
    parts = {part.partition("\n")[0]: "## " + part.rstrip("\n") + "\n" for part in parts}
    parts[title.removeprefix("## ")] = text
    path.write_text("\n".join([TITLE, *parts.values()]))


main()
