"""Compares the time of pkg/metrics with other libraries; called by bench/metrics.sh.

Both sides read the same files; only the computation is timed. They alternate, and the minimum time of each counts,
because other programs may run at the same time.
"""

import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.functional.classification import binary_auroc, binary_average_precision

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scripts" / "reference"))
import metrics  # noqa: E402: the NumPy and SciPy implementation

SAMPLES, PICTURES, SIDE, TURNS = 10_000_000, 100, 518, 3
program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
random = np.random.default_rng(7)


def ours(*arguments):
    return json.loads(subprocess.run([program, *map(str, arguments)], check=True, capture_output=True).stdout)


def drawn_scores(labels):
    """Probabilities as in an anomaly map: mostly low for normal pixels, higher for anomalous ones."""
    logits = random.standard_normal(labels.shape, dtype=np.float32) + 2 * labels.astype(np.float32) - 2
    return 1 / (1 + np.exp(-logits))


def drawn_masks():
    masks = np.zeros((PICTURES, SIDE, SIDE), dtype=np.uint8)
    for mask in masks:
        for _ in range(random.integers(4)):
            y, x, height, width = random.integers(1, SIDE - 64), random.integers(1, SIDE - 64), *random.integers(1, 64, 2)
            mask[y : y + height, x : x + width] = 1
    return masks


def compare(name, arguments, peer, tolerance):
    """peer returns values under the same names as ours."""
    mine, theirs = [], []
    for _ in range(TURNS):
        report = ours(*arguments)
        mine.append(report["Seconds"])
        start = time.perf_counter()
        values = peer()
        theirs.append(time.perf_counter() - start)
    for key, value in values.items():
        assert abs(report["Result"][key] - value) < tolerance, (key, report["Result"][key], value)
    ratio = min(theirs) / min(mine)
    print(f"{name}: {min(theirs):.2f} s, ours {min(mine):.3f} s: {ratio:.1f} times faster", flush=True)


def compare_rankings(share):
    labels = (random.random(SAMPLES) < share).astype(np.uint8)
    scores = drawn_scores(labels)
    scores.tofile(folder / "scores")
    labels.tofile(folder / "labels")
    predictions, target = torch.from_numpy(scores), torch.from_numpy(labels.astype(np.int64))
    compare(
        f"torchmetrics, AUROC and AP of {SAMPLES // 10**6} million samples, {share:.0%} anomalous",
        ["rank", folder / "scores", folder / "labels"],
        lambda: {
            "AUROC": float(binary_auroc(predictions, target)),
            "AP": float(binary_average_precision(predictions, target)),
        },
        1e-4,  # torchmetrics sums in float32
    )
    compare(
        f"scikit-learn, the same, {share:.0%} anomalous",
        ["rank", folder / "scores", folder / "labels"],
        lambda: {"AUROC": roc_auc_score(labels, scores), "AP": average_precision_score(labels, scores)},
        1e-9,
    )


def compare_aupro():
    masks = drawn_masks()
    maps = drawn_scores(masks)
    maps.tofile(folder / "maps")
    masks.tofile(folder / "masks")
    compare(
        f"NumPy and SciPy, AUPRO of {PICTURES} maps of {SIDE} x {SIDE}",
        ["maps", folder / "maps", folder / "masks", SIDE],
        lambda: {"AUPRO": metrics.aupro(maps, masks, 0.3)},
        1e-9,
    )


if __name__ == "__main__":
    compare_rankings(0.02)
    compare_rankings(0.5)
    compare_aupro()
