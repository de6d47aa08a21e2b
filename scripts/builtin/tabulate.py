"""The tables of docs/builtin.md from the figures of evaluate.py and of `acdclip eval`: tabulate.py FROZEN.json EVAL_FOLDER

AUROC in per cent, mean over classes; adapters: mean and standard deviation over seeds. Image scores are the mean of the class
token's probability and the map's maximum, and for local contrast the maximum.
"""

import json
import pathlib
import statistics
import sys

from evaluate import CONTRAST, RANDOM


def frozen_rows(path):
    """{dataset: {column: (image, pixel)}}"""
    rows = {}
    for dataset, methods in json.loads(path.read_text())["datasets"].items():
        row = rows[pathlib.Path(dataset).name] = {}
        for method, figures in methods.items():
            mean = figures["mean"]
            if method == CONTRAST:
                row["local contrast"] = mean["image"], mean["pixel"]
            else:
                row["random CLIP" if method == RANDOM else "frozen"] = mean["both"], mean["pixel"]
    return rows


def adapted_rows(folder):
    """{dataset: [(image, pixel) of each seed]}"""
    rows = {}
    for result in json.loads((folder / "results.json").read_text())["results"]:
        mean = result["mean"]
        rows.setdefault(result["target"], []).append((100 * mean["image_auroc"], 100 * mean["pixel_auroc"]))
    return rows


def spread(values):
    text = f"{statistics.mean(values):.1f}"
    return text + (f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else "")


def main():
    frozen, adapted = frozen_rows(pathlib.Path(sys.argv[1])), adapted_rows(pathlib.Path(sys.argv[2]))
    columns = "local contrast", "random CLIP", "frozen"
    print("| set, image / pixel | " + " | ".join(columns) + " | with adapters |")
    print("|---" * (len(columns) + 2) + "|")
    for name, row in frozen.items():
        cells = [f"{row[column][0]:.1f} / {row[column][1]:.1f}" for column in columns]
        images, pixels = zip(*adapted[name])
        print(f"| {name} | " + " | ".join(cells) + f" | {spread(images)} / {spread(pixels)} |")


if __name__ == "__main__":
    main()
