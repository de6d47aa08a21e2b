"""Compares this implementation with a golden folder: `python check.py GOLDEN [--dtype float32]`.

Prints the largest difference of each kind of quantity and file, and fails if one exceeds its tolerance.
"""

import argparse
import json
import pathlib
import re
import sys
from collections import defaultdict

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import golden_methods
import metrics
import pictures
import prompts
import quantities
import towers

# Pattern of a tensor's name -> its kind: the tolerance, and whether it is relative to the largest value.
KINDS = (
    (r"grad\..*", "gradients", 1e-4, True),
    (r".*\.grad", "gradients", 1e-4, True),
    (r"after3\.image_adapter.*", "after3 vision", 6e-5, False),
    (r"after3\.text_adapter.*", "after3 text", 2e-5, False),
    (r"map\..*|out\.maps?|score\..*|out\.score", "maps and scores", 5e-6, False),
    (r"losses|(paper|released)\.(dice|focal).*", "losses", 1e-5, True),
    (r".*", "tokens and logits", 1e-5, True),
)
METHODS = {  # the same for the tensors of each method
    "winclip": (
        (r"mask\..*", "windows", 0.0, False),
        (r".*\.text\..*|.*features.*|pos_embed.*", "features and text", 1e-5, True),
        (r".*", "maps and scores", 1e-5, False),
    ),
    "clip_ad": (
        (r".*\.labels\..*", "clusters", 0.0, False),
        (r"train\.grad.*", "gradients", 1e-4, True),
        (r"train\.after2.*", "after2", 1e-5, False),
        (r".*\.score\.dataset", "scores of a set", 1e-4, False),
        (r".*\.probability", "probabilities", 1e-5, False),
        (r"sdp\..*", "maps of SDP", 1e-6, False),
        (r".*", "text, taps, SDP+", 1e-5, True),
    ),
    "anomalyclip": (
        (r"grad\.ctx.*", "gradients of words", 1e-4, True),
        (r"grad\..*", "gradients of tokens", 1e-3, True),
        (r"after2\.ctx.*", "after2 words", 2e-6, False),
        (r"after2\..*", "after2 tokens", 2e-4, False),
        (r"map\.level\..*", "maps", 5e-6, False),
        (r"map\..*", "sums of maps", 2e-5, False),
        (r".*", "all else", 1e-5, True),
    ),
    "adaclip": (
        (r".*\.(ids|indices|labels)(\..*)?", "ids, places, labels", 0.0, False),
        (r"grad\..*", "gradients", 1e-3, True),
        (r"after2\..*", "after2", 2e-4, False),
        (r"map.*", "maps", 2e-5, False),
        (r"logits\..*", "logits", 2e-5, True),
        (r"losses", "losses", 5e-5, True),
        (r".*", "all else", 1e-5, True),
    ),
}
PREDICTED = {"predict_winclip.json": 1e-5, "predict_clip_ad.json": 1e-5, "anomalyclip": 1e-5, "adaclip": 5e-5}
SMALL, SHARE = 1e-5, 1e-3  # at most the fraction SHARE of a file's after3 values may differ by more than SMALL


class Report:
    """Collects differences; a missing tensor, another shape or NaN counts as an infinite difference."""

    def __init__(self):
        self.failed = False

    def line(self, file, kind, difference, allowed, where=""):
        passed = difference <= allowed
        self.failed |= not passed
        print(f"{'ok  ' if passed else 'FAIL'} {file:38} {kind:20} {difference:9.2e} of {allowed:7.1e}  {where}")

    def tensors(self, file, got, want, kinds=KINDS):
        """Compares the content of the file, except inputs, parameters and what is for information, with the computed values."""
        worst, limits, after = defaultdict(lambda: (0.0, "")), {}, []
        for name, expected in want.items():
            if name.startswith(("in.", "param.", "text.half.")) or name.endswith(".before"):
                continue
            kind, allowed, relative = kind_of(name, kinds)
            limits[kind] = allowed
            worst[kind] = max(worst[kind], (largest(got.get(name), expected, relative), name))
            if name.startswith("after3.") and name in got:
                after.append((got[name].double() - expected.double()).abs().flatten())
        for kind, (difference, name) in worst.items():
            self.line(file, kind, difference, limits[kind], name)
        if after:
            off = torch.cat(after) > SMALL
            self.line(file, "after3 share off", off.double().mean().item(), SHARE)


def kind_of(name, kinds):
    for pattern, kind, allowed, relative in kinds:
        if re.fullmatch(pattern, name):
            return kind, allowed, relative
    raise KeyError(name)


def largest(got, want, relative):
    if got is None or got.shape != want.shape:
        return float("inf")
    if want.numel() == 0:
        return 0.0
    difference = (got.double() - want.double()).abs().max().item()
    scale = want.double().abs().max().item() if relative else 1.0
    return float("inf") if difference != difference else difference / max(scale, 1e-30)


class Check:
    def __init__(self, folder, dtype):
        self.folder, self.dtype, self.report = folder, dtype, Report()
        self.clip = towers.load(folder / "clip_tiny_openai.pt", dtype)

    def run(self):
        self.formats()
        self.file("clip_tiny.safetensors", self.plain_clip)
        for path in sorted(self.folder.glob("released_n*.safetensors")):
            self.file(path.name, self.released)
        for path in sorted(self.folder.glob("paper_n*.safetensors")):
            self.file(path.name, self.paper)
        self.file("loss.safetensors", lambda name, metadata, tensors: quantities.loss_quantities(tensors))
        self.tokens()
        self.metrics()
        self.predict()
        self.resize()
        self.methods()
        return self.report.failed

    def file(self, name, compute, kinds=KINDS):
        path = self.folder / name
        if not path.exists():
            print(f"--   {name}: missing")
            return
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        tensors = {key: self.cast(tensor) for key, tensor in load_file(path).items()}
        self.report.tensors(name, compute(name, metadata, tensors), tensors, kinds)

    def cast(self, tensor):
        return tensor.to(self.dtype) if tensor.is_floating_point() else tensor

    def formats(self):
        other = towers.load(self.folder / "clip_tiny_hf", self.dtype)
        same = other.weights.keys() == self.clip.weights.keys()
        difference = max(largest(other.weights[name], tensor, False) for name, tensor in self.clip.weights.items())
        self.report.line("clip_tiny_hf", "weights", difference if same else float("inf"), 0.0)

    def plain_clip(self, name, metadata, tensors):
        return quantities.clip_quantities(self.clip, tensors["in.image"], tensors["in.ids"].long())

    def released(self, name, metadata, tensors):
        adapter = self.folder / name.replace(".safetensors", "_adapter_1.pth")
        checkpoint = torch.load(adapter, map_location="cpu", weights_only=True)
        model, released = quantities.released_model(
            self.clip, checkpoint, int(metadata["n_groups"]), int(metadata["image_size"])
        )
        return quantities.released_quantities(model, released, tensors, metadata["class"].split(" = ")[1])

    def paper(self, name, metadata, tensors):
        return quantities.paper_quantities(quantities.paper_model(self.clip, metadata, tensors), tensors)

    def json(self, name):
        path = self.folder / name
        if path.exists():
            return json.loads(path.read_text())
        print(f"--   {name}: missing")
        return None

    def tokens(self):
        for row in self.json("tokens.json") or ():
            got = prompts.up_to_end(prompts.encode([row["text"]])[0])
            if got != row["ids"]:
                self.report.line("tokens.json", row["text"], float("inf"), 0.0, f"{got}, not {row['ids']}")

    def metrics(self):
        golden = self.json("metrics.json")
        if golden is None:
            return
        worst = max(
            abs(value - row[name])
            for row in golden["rows"]
            for name, value in metrics.ranking(row["label"], row["score"]).items()
        )
        self.report.line("metrics.json", "AUROC, AP, F1-max", worst, 1e-12)
        self.report.line("metrics.json", "AUPRO", self.aupro(golden["aupro"]), 1e-9)

    def aupro(self, golden):
        shape = (-1, golden["height"], golden["width"])
        maps, masks = (np.array(golden[name]).reshape(shape) for name in ("maps", "masks"))
        pixels = metrics.ranking(masks.ravel(), maps.ravel())
        got = {
            "regions": metrics.regions(masks)[1],
            "aupro_30": metrics.aupro(maps, masks, 0.3),
            "aupro_05": metrics.aupro(maps, masks, 0.05),
            "pixel_auroc": pixels["auroc"],
            "pixel_ap": pixels["ap"],
        }
        return max(abs(value - golden[name]) for name, value in got.items())

    def predict(self):
        golden = self.json("predict/expected.json")
        if golden is None:
            return
        groups, size = golden["groups"], golden["image_size"]
        checkpoint = torch.load(self.folder / f"released_n{groups}_adapter_1.pth", weights_only=True)
        model, _ = quantities.released_model(self.clip, checkpoint, groups, size)
        with torch.no_grad():
            text = model.text(*prompts.class_ids(golden["prompt"]))
        for kind, allowed in ((".png", 1e-5), (".jpg", 2e-3)):
            worst = (0.0, "")
            for name, expected in golden["images"].items():
                image = pictures.normalised(self.folder / "predict" / (name + kind), size, self.dtype)
                got = quantities.prediction(model, image, text)
                worst = max(worst, *((abs(got[key] - value), f"{name} {key}") for key, value in expected.items()))
            self.report.line("predict/expected.json", kind, worst[0], allowed, worst[1])

    def resize(self):
        path = self.folder / "resize.safetensors"
        if not path.exists():
            return
        tensors, worst = load_file(path), 0
        for name in sorted(key.removesuffix(".decoded") for key in tensors if key.endswith(".decoded")):
            picture = pictures.decode(self.folder / "resize" / name)
            want = tensors[f"{name}.resized"].numpy()
            for got, want in (
                (np.asarray(picture), tensors[f"{name}.decoded"].numpy()),
                (pictures.resize(picture, want.shape[0]), want),
            ):
                worst = max(worst, np.abs(got.astype(int) - want.astype(int)).max())
        self.report.line("resize.safetensors", "levels", float(worst), 0.0)

    def methods(self):
        """The other methods. AdaCLIP starts from the file's dynamic tokens."""
        for method in golden_methods.FILES:
            for path in sorted((self.folder / "methods").glob(f"{method}_*.safetensors")):
                self.file(f"methods/{path.name}", self.method, METHODS[method])
        for name in golden_methods.PREDICTIONS:
            wanted = self.json(f"methods/{name}")
            if wanted is None:
                continue
            got = golden_methods.predictions(self.folder / "methods", name, wanted, self.dtype)
            if name == "predict_prompts.json":
                for method, each in wanted.items():
                    self.predicted(f"{name} {method}", got[method], each["images"], PREDICTED[method])
            else:
                self.predicted(name, got, wanted["images"], PREDICTED[name])

    def method(self, name, metadata, tensors):
        given = (tensors["dynamic.visual"], tensors["dynamic.text"]) if "dynamic.visual" in tensors else None
        return golden_methods.compute(self.folder / name, metadata, tensors, self.dtype, given)

    def predicted(self, name, got, want, allowed):
        worst = max(
            (abs(number(got[picture], path) - value), f"{picture} {' '.join(path)}")
            for picture, expected in want.items()
            for path, value in numbers(expected)
        )
        self.report.line(name, "predictions", worst[0], allowed, worst[1])


def numbers(tree, path=()):
    """The paths and values of nested dicts."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from numbers(value, (*path, key))
        else:
            yield (*path, key), value


def number(tree, path):
    for key in path:
        tree = tree[key]
    return tree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("golden", type=pathlib.Path)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    arguments = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    failed = Check(arguments.golden, getattr(torch, arguments.dtype)).run()
    sys.exit("differences exceed the tolerances" if failed else 0)


if __name__ == "__main__":
    main()
