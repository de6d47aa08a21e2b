"""Writes a few simple pairs, to try the training on: gratings and blobs, with a spot as their defect."""

import argparse
import json
import pathlib

import numpy as np

KINDS = {"grating": "texture", "coarse_grain": "texture", "round_blob": "object", "square_tile": "object"}


def picture(name, random, size=112):
    """[size, size, 3] in [0, 1]"""
    y, x = np.mgrid[:size, :size] / size
    angle, period, phase = random.uniform(0, np.pi), random.uniform(4, 12), random.uniform(0, 6)
    if name == "grating":
        plane = np.sin(2 * np.pi * period * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    elif name == "coarse_grain":
        plane = np.kron(random.normal(size=(size // 4, size // 4)), np.ones((4, 4))) * 0.6
    else:
        near = np.hypot(x - 0.5, y - 0.5) if name == "round_blob" else np.maximum(abs(x - 0.5), abs(y - 0.5))
        plane = np.where(near < random.uniform(0.25, 0.45), 0.8, -0.8)
    colour = random.uniform(0.1, 0.4, size=3)
    return np.clip(0.5 + plane[..., None] * colour + random.normal(size=(size, size, 3)) * 0.02, 0, 1)


def pair(name, random, size=112):
    normal = picture(name, random, size)
    y, x = np.mgrid[:size, :size]
    centre, radius = random.uniform(30, size - 30, size=2), random.uniform(4, 14)
    mask = np.hypot(y - centre[0], x - centre[1]) < radius
    damaged = np.where(mask[..., None], random.uniform(0, 1, size=3), normal)
    return np.stack([normal, damaged]), mask


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--count", type=int, default=200, help="pairs a file")
    arguments.add_argument("--files", type=int, default=2)
    arguments = arguments.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    random, names = np.random.default_rng(0), list(KINDS)
    for file in range(arguments.files):
        chosen = [names[n % len(names)] for n in range(arguments.count)]
        pictures, masks = zip(*(pair(name, random) for name in chosen))
        np.save(arguments.folder / f"pairs-{file:03}.npy", (np.stack(pictures) * 255).round().astype(np.uint8))
        np.save(arguments.folder / f"masks-{file:03}.npy", np.stack(masks).astype(np.uint8) * 255)
        entries = [{"class": name, "kind": KINDS[name], "defect": "spot"} for name in chosen]
        (arguments.folder / f"pairs-{file:03}.json").write_text(json.dumps(entries))


if __name__ == "__main__":
    main()
