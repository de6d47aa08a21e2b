"""Batches that overlap on the device give the same bits as batches that run alone.

predict starts a batch there before it has read the results of the one before, so a copy that is read too early, or memory
that is used again too early, would change maps or scores.
"""

import numpy as np
from inputs import PROMPT, json_lines
from program import Failed

BATCHES = 4


def run(check, part):
    size = check.sizes.single if not check.tiny else 1
    together = score(check, "together", check.listed(0, BATCHES * size), size)
    part.say(f"{check.sizes.name} at {check.sizes.image_size} pixels in bf16: {BATCHES} batches of {size} in one run, and each in a run of its own.")
    differ = []
    for i in range(BATCHES):
        alone = score(check, f"alone-{i}", check.listed(i * size, (i + 1) * size), size)
        if not all(np.array_equal(a[i * size : (i + 1) * size], b) for a, b in zip(together, alone, strict=True)):
            differ.append(str(i + 1))
    part.judge(f"overlapping batches give the bits of batches alone{': not batch ' + ', '.join(differ) if differ else ''}", not differ)


def score(check, name, pictures, size):
    """The maps [B, S, S], scores [B] and largest values of the maps [B], in the order of the rows."""
    clip, checkpoint = check.large
    out = check.work / f"overlap-{name}"
    check.acdclip(
        "predict", "--files-from", pictures, "--class", PROMPT, "--clip", clip, "--checkpoint", checkpoint, "--device", check.device,
        "--precision", "bf16", "--batch", size, "--set", f"model.image_size={check.sizes.image_size}", "--save-maps=npy", "--format", "jsonl",
        "--out", out, "--quiet", most=60,
    )  # fmt: skip
    rows = json_lines((out / "predictions.jsonl").read_text())
    bad = [row["error"] for row in rows if row["error"]]
    if bad:
        raise Failed(f"{name}: {bad[0]}")
    return np.stack([np.load(out / row["map"]) for row in rows]), np.array([row["score"] for row in rows]), np.array([row["map_max"] for row in rows])
