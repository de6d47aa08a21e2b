"""How well frozen models of this kind find defects with sentences alone, on datasets in MVTec's layout.

A map is the abnormal probability of every patch token, upsampled; beside it stand two baselines that have learned
nothing: the local contrast of the grey picture, and a CLIP of the same shape with random weights. Figures are AUROC in per
cent: of all pixels of a class, and of its pictures by the map's maximum ("image") and by the mean of that and of the class
token's probability ("both"). Several models, such as one a seed, give mean and standard deviation.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage
from sklearn.metrics import roc_auc_score

sys.path.append(str(pathlib.Path(__file__).parent.parent / "reference"))

import pictures  # noqa: E402  (scripts/reference)
import prompts  # noqa: E402
from load import load, random_model  # noqa: E402
from model import state_logits  # noqa: E402
from sentences import spoken  # noqa: E402

ENDINGS = ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"
CONTRAST, RANDOM = "local contrast", "random CLIP"
FIGURES = "pixel", "image", "both"
BATCH = 32


def classes_of(folder):
    """Folders with test/good, below or at the given one."""
    own = [path for path in (folder, *sorted(folder.iterdir())) if (path / "test" / "good").is_dir()]
    if not own:
        raise SystemExit(f"{folder}: no CLASS/test/good")
    return own


def files_in(folder):
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


def mask_of(folder, kind, picture):
    for stem in (picture.stem + "_mask", picture.stem):
        for ending in ENDINGS:
            path = folder / "ground_truth" / kind / (stem + ending)
            if path.exists():
                return path
    raise SystemExit(f"{picture}: no mask")


def read_class(folder, size):
    """Pictures [B, size, size, 3] uint8, masks [B, size, size] bool, and kinds, "good" among them."""
    images, masks, kinds = [], [], []
    for kind in sorted(path.name for path in (folder / "test").iterdir() if path.is_dir()):
        for picture in files_in(folder / "test" / kind):
            images.append(pictures.resize(pictures.decode(picture), size))
            kinds.append(kind)
            mask = np.zeros((size, size), dtype=bool)
            if kind != "good":
                grey = Image.open(mask_of(folder, kind, picture)).convert("L")
                mask = np.asarray(grey.resize((size, size), Image.Resampling.NEAREST)) > 0
            masks.append(mask)
    return np.stack(images), np.stack(masks), np.array(kinds)


def states(model, vocabulary, name):
    """[1, 2, E]: the unit mean of each state's unit embeddings of ACD-CLIP's prompts."""
    means = [model.text(vocabulary.batch(texts)).mean(dim=0) for texts in prompts.prompts(name)]
    return F.normalize(torch.stack(means), dim=-1)[None]


@torch.inference_mode()
def clip_maps(model, vocabulary, name, images):
    """Maps [B, S, S] and the class token's probabilities [B]."""
    size, text, maps, whole = images.shape[1], states(model, vocabulary, name), [], []
    for batch in torch.from_numpy(images).split(BATCH):
        probability = state_logits(model.visual(pictures.normalise(batch).contiguous()), text.expand(len(batch), -1, -1)).sigmoid()
        grid = size // model.arch.patch
        square = probability[:, 1:].reshape(-1, 1, grid, grid)
        maps.append(F.interpolate(square, size=(size, size), mode="bilinear", align_corners=True)[:, 0])
        whole.append(probability[:, 0])
    return torch.cat(maps).numpy(), torch.cat(whole).numpy()


def contrast_maps(images):
    """How far each pixel is from its surroundings, smoothed a little."""
    grey = images.astype(np.float32) @ np.array((0.299, 0.587, 0.114), dtype=np.float32)
    size = images.shape[1]
    around = ndimage.gaussian_filter(grey, (0, size / 12, size / 12))
    return ndimage.gaussian_filter(abs(grey - around), (0, size / 60, size / 60))


def auroc(labels, scores):
    return float(100 * roc_auc_score(labels.ravel(), scores.ravel()))


def figures(maps, whole, masks, kinds):
    """The class's figures, and those of each defect kind against the good pictures."""
    out, anomalous = {}, kinds != "good"
    highest = maps.max(axis=(1, 2))
    scores = {"image": highest, "both": (highest + (highest if whole is None else whole)) / 2}
    for kind in (None, *sorted(set(kinds[anomalous]))):
        chosen = (kinds == "good") | ((kinds == kind) if kind else anomalous)
        row = {"pixel": auroc(masks[chosen], maps[chosen])}
        row |= {name: auroc(anomalous[chosen], score[chosen]) for name, score in scores.items()}
        out[kind or "all"] = row
    return out


def save_maps(folder, name, maps):
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", maps.astype(np.float16))


def evaluate(methods, dataset, size, maps_folder):
    """{method: {class: {kind: figures}}}"""
    out = {method: {} for method in methods}
    for folder in classes_of(dataset):
        images, masks, kinds = read_class(folder, size)
        for number, (method, compute) in enumerate(methods.items()):
            maps, whole = compute(spoken(folder.name), images)
            out[method][folder.name] = figures(maps, whole, masks, kinds)
            if maps_folder:
                save_maps(maps_folder / str(number) / dataset.name, folder.name, maps)
    return out


def mean_of(rows):
    return {figure: float(np.mean([row[figure] for row in rows])) for figure in FIGURES}


def means(classes):
    """Over classes, and for each defect kind over the classes that have it."""
    kinds = sorted({kind for rows in classes.values() for kind in rows} - {"all"})
    out = {"mean": mean_of([rows["all"] for rows in classes.values()])}
    return out | {f"kind {kind}": mean_of([rows[kind] for rows in classes.values() if kind in rows]) for kind in kinds}


def table(dataset, results, models):
    """Lines: a row a class, the mean, and a row a defect kind; a column of three figures a method."""
    columns = {}
    for method, classes in results.items():
        columns[method] = {name: rows["all"] for name, rows in classes.items()} | means(classes)
    shown = {"CLIP": [columns[m] for m in models]} | {m: [columns[m]] for m in columns if m not in models}
    lines = [f"{dataset}  (AUROC in per cent: {', '.join(FIGURES)})"]
    rows = list(next(iter(columns.values())))
    width = max(map(len, rows))
    lines.append(f"{'':{width}}" + "".join(f"  {method:>26}" for method in shown))
    for row in rows:
        cells = ""
        for several in shown.values():
            parts = []
            for figure in FIGURES:
                values = [each[row][figure] for each in several]
                parts.append(f"{np.mean(values):.1f}" + (f"±{np.std(values, ddof=1):.1f}" if len(values) > 1 else ""))
            cells += f"  {'  '.join(parts):>26}"
        lines.append(f"{row:{width}}{cells}")
    return "\n".join(lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    add = arguments.add_argument
    add("model", type=pathlib.Path, nargs="+", help="exported folders, runs or checkpoints")
    add("--data", type=pathlib.Path, nargs="+", required=True, help="datasets: folders of CLASS/test/good")
    add("--size", type=int, default=112, help="side to which pictures are squashed, a multiple of the patch")
    add("--json", type=pathlib.Path, help="file of all figures")
    add("--save-maps", type=pathlib.Path, help="folder of the maps, N/DATASET/CLASS.npy in float16: N counts the models, then the baselines")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    loaded = {str(path): load(path) for path in options.model}
    first, vocabulary = next(iter(loaded.values()))
    methods = {
        path: lambda name, images, pair=pair: clip_maps(*pair, name, images) for path, pair in loaded.items()
    }
    untrained = random_model(first.arch)
    methods[CONTRAST] = lambda _, images: (contrast_maps(images), None)
    methods[RANDOM] = lambda name, images: clip_maps(untrained, vocabulary, name, images)
    everything = {}
    for dataset in options.data:
        results = evaluate(methods, dataset, options.size, options.save_maps)
        everything[str(dataset)] = {method: {"classes": classes} | means(classes) for method, classes in results.items()}
        print(table(dataset, results, list(loaded)) + "\n")
    if options.json:
        options.json.write_text(json.dumps({"size": options.size, "datasets": everything}, indent=1) + "\n")


if __name__ == "__main__":
    main()
