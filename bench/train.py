"""Runs both sides of bench/train.sh in turns and compares.

A step's time holds all that follows decoding and scaling: the picture's way to the device, both towers, the loss, the
gradients and Adam; ours is what `acdclip train` writes into log.jsonl. The least step of all turns counts, for other
programs may run at the same time. Memory is a whole process's peak (VmHWM), loading included.
"""

import json
import os
import pathlib
import subprocess
import sys

folder, turns, steps = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
TOLERANCE = 1e-4  # of the losses, relative: Adam's first steps enlarge roundings


def run(command):
    """Runs a command; its output, and its peak of memory in bytes."""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return output, usage.ru_maxrss * 1024


def ours():
    """One picture is an epoch of one step."""
    settings = {"train.batch": 1, "train.epochs": steps, "train.lr_decay": 1, "train.augment": "false"}
    _, peak = run(
        ["bin/acdclip", "train", "--quiet", "--preset", "released", "--seed", 0, "--clip", folder / "clip"]
        + ["--auxiliary", f"drawn={folder / 'drawn'}", "--out", folder / "run", "--overwrite"]
        + [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    )
    log = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    log = [line for line in log if line["event"] == "step"]
    return [1 / line["pictures_per_second"] for line in log], [line["loss"] for line in log], peak


def theirs():
    picture = next((folder / "drawn").glob("*/test/*/*.png"))
    mask = next((folder / "drawn").glob("*/ground_truth/*/*.png"))
    output, peak = run([sys.executable, "bench/train_peer.py", folder, picture, mask, "hex bolt", steps])
    report = json.loads(output.splitlines()[-1])
    return report["seconds"], report["losses"], peak


def main():
    sides = {"acdclip": ours, "released recipe": theirs}
    least, most, losses = dict.fromkeys(sides, float("inf")), dict.fromkeys(sides, 0), {}
    for turn in range(turns):
        for name, side in sides.items():
            seconds, losses[name], peak = side()
            least[name], most[name] = min(least[name], *seconds), max(most[name], peak)
            print(f"turn {turn + 1}, {name}: {', '.join(f'{s:.1f}' for s in seconds)} s, peak {peak / 1e9:.2f} GB", flush=True)
    mine, peer = sides
    for step, (a, b) in enumerate(zip(losses[mine], losses[peer])):
        print(f"loss of step {step + 1}: {a:.6f} and {b:.6f}")
        assert abs(a - b) <= TOLERANCE * abs(b), "the two sides do not compute the same"
    for name in sides:
        print(f"{name}: {least[name]:.2f} s a step, peak {most[name] / 1e9:.2f} GB")
    print(f"time: {least[peer] / least[mine]:.2f} times less; memory: {most[peer] / most[mine]:.2f} times less")


if __name__ == "__main__":
    main()
