"""Runs the sides of bench/train.sh alternately and compares them.

A step's time includes everything after decoding and scaling: copying the picture to the device, both towers, the loss,
the gradients and Adam; for our side it is the value of `acdclip train` in log.jsonl. The minimum over all turns counts,
because other programs may run at the same time. Memory is the process's peak (VmHWM), including loading.

The losses of fp32 must equal those of the released recipe, and those with checkpointed activations those without. The
losses of bf16 differ by about the rounding error of that format and are only shown.
"""

import json
import os
import pathlib
import subprocess
import sys

folder, drawn, turns, steps = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
chosen = sys.argv[5:]
TOLERANCE = 1e-4  # relative, for losses in the same format: Adam's first steps amplify rounding errors


def run(command):
    """Runs a command; returns its output and its peak memory in bytes."""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return output, usage.ru_maxrss * 1024


def ours(precision, checkpointed="false"):
    """A dataset whose pictures are an epoch of one step."""
    batch = len(list(drawn.glob("*/test/*/*.png")))
    settings = {"train.batch": batch, "train.recompute": checkpointed, "train.epochs": steps, "train.lr_decay": 1, "train.augment": "false"}
    _, peak = run(
        ["bin/acdclip", "train", "--quiet", "--preset", "released", "--seed", 0, "--clip", folder / "clip", "--precision", precision]
        + ["--auxiliary", f"drawn={drawn}", "--out", folder / "run", "--overwrite"]
        + [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    )
    log = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    log = [line for line in log if line["event"] == "step"]
    return [batch / line["pictures_per_second"] for line in log], [line["loss"] for line in log], peak


def theirs():
    (picture,) = drawn.glob("*/test/*/*.png")
    (mask,) = drawn.glob("*/ground_truth/*/*.png")
    output, peak = run([sys.executable, "bench/train_peer.py", folder, picture, mask, "hex bolt", steps])
    report = json.loads(output.splitlines()[-1])
    return report["seconds"], report["losses"], peak


SIDES = {
    "fp32": lambda: ours("fp32"),
    "fp32-checkpointed": lambda: ours("fp32", "true"),
    "bf16": lambda: ours("bf16"),
    "bf16-checkpointed": lambda: ours("bf16", "true"),
    "released": theirs,
}
NAMES = {
    "fp32": "acdclip",
    "fp32-checkpointed": "acdclip, activations checkpointed",
    "bf16": "acdclip --precision bf16",
    "bf16-checkpointed": "acdclip --precision bf16, activations checkpointed",
    "released": "released recipe",
}


def compare(losses):
    """Prints the losses of all sides, step by step, compared with those of the last side."""
    *mine, reference = losses
    for side in mine:
        worst = max(abs(a - b) / abs(b) for a, b in zip(losses[side], losses[reference]))
        print(f"{NAMES[side]}: losses of the steps {', '.join(f'{loss:.6f}' for loss in losses[side])}, "
              f"at most {worst:.1e} of the value from {NAMES[reference]}'s")  # fmt: skip
        if ("bf16" in side) == ("bf16" in reference):
            assert worst <= TOLERANCE, "the two sides do not compute the same"
        else:
            print("  this is not an error: bf16 rounds matrices and their inputs to 8 bits")


def main():
    sides = [side for side in SIDES if side in (chosen or ["fp32", "bf16", "released"])]
    least, most, losses = dict.fromkeys(sides, float("inf")), dict.fromkeys(sides, 0), {}
    for turn in range(turns):
        for side in sides:
            seconds, losses[side], peak = SIDES[side]()
            least[side], most[side] = min(least[side], *seconds), max(most[side], peak)
            print(f"turn {turn + 1}, {NAMES[side]}: {', '.join(f'{s:.1f}' for s in seconds)} s, peak {peak / 1e9:.2f} GB", flush=True)
    compare(losses)
    for side in sides:
        print(f"{NAMES[side]}: {least[side]:.2f} s a step, peak {most[side] / 1e9:.2f} GB")
    *others, reference = sides
    for side in others:
        print(f"{NAMES[side]} takes {least[side] / least[reference]:.2f} of the time "
              f"and {most[side] / most[reference]:.2f} of the memory of {NAMES[reference]}")  # fmt: skip


if __name__ == "__main__":
    main()
