"""Small synthetic pictures: shaded, finely woven surfaces, some with a scratch or a spot."""

import numpy as np
from PIL import Image, ImageDraw

KINDS = ("good_000", "good_001", "good_002", "good_003", "scratch_000", "scratch_001", "spot_000", "spot_001")


def draw(kind, random):
    """An RGB picture of about 100 pixels a side."""
    width, height = (int(side) for side in random.integers(70, 110, 2))
    y, x = np.mgrid[:height, :width]
    tint = random.uniform(60, 180, 3)
    shade = 25 * np.sin(x / random.uniform(15, 40)) + 20 * np.cos(y / random.uniform(15, 40))
    weave = 10 * ((x // 4 + y // 3) % 2)
    pixels = tint + (shade + weave)[..., None]
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    color = tuple(int(level) for level in random.integers(0, 256, 3))
    ends = [int(value) for value in random.integers(10, 65, 4)]
    if kind.startswith("scratch"):
        pen.line(ends, fill=color, width=3)
    elif kind.startswith("spot"):
        pen.ellipse((ends[0], ends[1], ends[0] + 15, ends[1] + 12), fill=color)
    return picture


def write(folder, seed):
    """Each picture as a JPEG, and as a PNG with the decoded pixels of that JPEG."""
    random = np.random.default_rng(seed)
    for kind in KINDS:
        draw(kind, random).save(folder / f"{kind}.jpg", quality=90)
        Image.open(folder / f"{kind}.jpg").save(folder / f"{kind}.png", optimize=True)
    return KINDS
