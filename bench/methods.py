"""Runs both sides of bench/methods.sh alternately and compares them.

Scoring: both sides read the same bytes, have loaded their weights and encoded what text their code encodes once for a
dataset (AdaCLIP encodes it for each picture), and are timed from the pictures' pixels to scores and smoothed maps. Memory
is the peak after loading.

Training: both sides start from the same values and see the same pictures in the same order. The time of an epoch is that
of its steps, from pixels to the optimiser's step; the released codes' epochs are all alike, ours after the first count.
Memory is the peak of the whole program.

The minimum over all turns counts, because other programs may run at the same time. Processor seconds, of all threads,
tell more on a busy machine, best with ACDCLIP_THREADS=1: then no thread waits for another one.
"""

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
from PIL import Image

folder, turns, chosen = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
OURS, PEER = [folder / "ours"], [sys.executable, "bench/methods/peer.py"]
CLASS, NAME = "hex_bolt", "hex bolt"  # a folder's name, and its name in prompts
PLUS, LARGE = folder / "vit-b-plus", "build/bench/train/clip"


@dataclass(frozen=True)
class Work:
    method: str
    size: int
    clip: object
    batch: int  # the released code's
    pictures: int
    learned: bool
    train: bool = False
    epochs: int = 1  # of the released side; ours has two more
    tolerance: float = 2e-5  # of scores and maps, absolute; of losses, relative


WORKS = {
    "winclip": Work("winclip", 240, PLUS, 4, 8, False),
    "sdp": Work("clip_ad", 240, PLUS, 16, 32, False),
    "sdp_plus": Work("clip_ad", 240, PLUS, 16, 32, True),
    "anomalyclip": Work("anomalyclip", 518, LARGE, 1, 3, True),
    "adaclip": Work("adaclip", 518, LARGE, 1, 3, True, tolerance=1e-4),
    "train_sdp_plus": Work("clip_ad", 240, PLUS, 8, 16, True, train=True, epochs=2, tolerance=1e-4),
    "train_anomalyclip": Work("anomalyclip", 518, LARGE, 8, 8, True, train=True, epochs=2, tolerance=1e-4),
    "train_adaclip": Work("adaclip", 518, LARGE, 1, 2, True, train=True, tolerance=1e-3),
}


def run(command):
    """Runs a command; returns its output and its peak memory in bytes."""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return output, usage.ru_maxrss * 1024


def checkpoint(work):
    """The file of random values in the authors' format; "" for a method that learns nothing."""
    if not work.learned:
        return ""
    file = folder / f"{work.method}.pth"
    if not file.exists():
        run([*PEER, "checkpoint", work.method, work.clip, file])
    return file


def drawn(work):
    """A dataset of one class; half of its pictures are anomalous."""
    dataset = folder / f"drawn-{work.size}-{work.pictures}"
    if not dataset.exists():
        half = work.pictures // 2
        run(["bin/acdclip", "data", "synth", dataset, "--set", "objects", "--classes", CLASS, "--size", work.size, "--quiet"]
            + ["--normal", half, "--anomalous", work.pictures - half])  # fmt: skip
    return dataset


def pixels(work):
    """A file with the pixels of the pictures."""
    dataset = drawn(work)
    file = folder / f"{dataset.name}.pixels"
    if not file.exists():
        paths = sorted(dataset.glob("*/test/*/*.png"))
        np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths]).tofile(file)
    return file


def scored(work, side, program):
    maps = folder / f"{side}.maps"
    inputs = [work.method, work.clip, checkpoint(work), NAME, work.batch, pixels(work)]
    out = json.loads(run([*program, "score", *inputs, maps])[0])
    return {
        "seconds": min(out["seconds"]) / work.batch, "cpu": min(out["cpu"]) / work.batch, "peak": out["peak"],
        "scores": np.array(out["scores"]), "maps": np.fromfile(maps, np.float32),
    }  # fmt: skip


def epochs(steps, first):
    """The least seconds of an epoch that is not before first."""
    sums = {}
    for step in steps:
        sums[step["epoch"]] = sums.get(step["epoch"], 0) + step["seconds"]
    return min(seconds for epoch, seconds in sums.items() if epoch >= first)


def trained_by_us(work):
    out = folder / "run"
    settings = {"train.batch": work.batch, "train.shuffle": "false", "train.mosaic": 0, "train.epochs": work.epochs + 2}
    _, peak = run(
        ["bin/acdclip", "train", "--quiet", "--method", work.method, "--clip", work.clip, "--auxiliary", f"drawn={drawn(work)}"]
        + ["--init-from", checkpoint(work), "--out", out, "--overwrite"]
        + [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    )
    steps = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    steps = [step for step in steps if step["event"] == "step"]
    for step in steps:
        step["seconds"] = work.batch / step["pictures_per_second"]
    first = epochs([step for step in steps if step["epoch"] == 1], 1)
    print(f"  our first epoch, which fills the cache: {first:.2f} s", flush=True)
    return {"seconds": epochs(steps, 2), "peak": peak, "losses": [step["loss"] for step in steps]}


def trained_by_peer(work):
    inputs = [work.method, work.clip, checkpoint(work), NAME, work.batch, drawn(work)]
    output, peak = run([*PEER, "train", *inputs, work.epochs])
    steps = json.loads(output)
    return {"seconds": epochs(steps, 1), "peak": peak, "losses": [step["loss"] for step in steps]}


def sides(work):
    if work.train:
        return {"acdclip": lambda: trained_by_us(work), "peer": lambda: trained_by_peer(work)}
    return {"acdclip": lambda: scored(work, "ours", OURS), "peer": lambda: scored(work, "peer", PEER)}


def agree(name, work, ours, peers):
    """Prints the largest differences of the two sides; they must be within the tolerance."""
    if work.train:
        worst = max(abs(a - b) / abs(b) for a, b in zip(ours["losses"], peers["losses"]))
        print(f"{name}: losses of {', '.join(f'{loss:.4f}' for loss in peers['losses'])} differ by at most {worst:.1e} of the value")
    else:
        differences = {key: np.abs(ours[key] - peers[key]).max() for key in ("scores", "maps")}
        worst = max(differences.values())
        for key, difference in differences.items():
            print(f"{name}: {key} of {peers[key].min():.4f} to {peers[key].max():.4f} differ by at most {difference:.1e}")
    if not worst <= work.tolerance:
        sys.exit(f"{name}: the two sides do not compute the same")


def measure(name, work):
    best = {}
    for turn in range(turns):
        last = {}
        for side, go in sides(work).items():
            last[side] = go()
            kept = best.setdefault(side, {})
            for key in ("seconds", "cpu"):
                if key in last[side]:
                    kept[key] = min(kept.get(key, float("inf")), last[side][key])
            kept["peak"] = max(kept.get("peak", 0), last[side]["peak"])
            print(f"{name}, turn {turn + 1}, {side}: {last[side]['seconds']:.3f} s, peak {last[side]['peak'] / 1e9:.2f} GB", flush=True)
        agree(name, work, last["acdclip"], last["peer"])
    return best


def main():
    for name in chosen:
        if name not in WORKS:
            sys.exit(f"no method {name}; there are {', '.join(WORKS)}")
    lines = []
    for name in chosen or WORKS:
        work = WORKS[name]
        best = measure(name, work)
        us, them = best["acdclip"], best["peer"]
        lines += [
            f"{name}, {'an epoch' if work.train else 'a picture'}: {us['seconds']:.3f} s, {us['peak'] / 1e9:.2f} GB; "
            f"peer {them['seconds']:.3f} s, {them['peak'] / 1e9:.2f} GB; "
            f"{them['seconds'] / us['seconds']:.2f} times as fast, {us['peak'] / them['peak']:.2f} of the memory"
        ]
        if "cpu" in us:
            lines += [f"  processor seconds: {us['cpu']:.3f} and {them['cpu']:.3f}, {them['cpu'] / us['cpu']:.2f} times as fast"]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
