"""The golden files of the methods other than ACD-CLIP, in a golden folder's folder `methods`.

A file's inputs, metadata and parameters decide what is computed; check.py compares it with the file, make_methods.py saves it.
"""

import functools
import json
import re

import torch

import adaclip
import anomalyclip
import clip_ad
import pictures
import towers
import winclip

FILES = "winclip", "clip_ad", "anomalyclip", "adaclip"
PREDICTIONS = "predict_winclip.json", "predict_clip_ad.json", "predict_prompts.json"
DEFAULT_CLIP = "../clip_tiny_openai.pt"

load_clip = functools.cache(lambda path, dtype: towers.load(path, dtype))


def compute(path, metadata, inputs, dtype, given=None):
    """The tensors of the file at `path`, which need not exist, from its metadata and inputs; `given` see adaclip.py."""
    method = path.name.rsplit("_", 1)[0]
    if method == "winclip":
        return _winclip(path.parent, metadata, inputs, dtype)
    if method == "clip_ad":
        return _clip_ad(path.parent, metadata, inputs, dtype)
    about = json.loads(metadata["golden"])
    clip = clip_of(path.parent, about | metadata, dtype)
    stored = torch.load(path.with_suffix(".pth"), map_location="cpu", weights_only=True)
    if method == "anomalyclip":
        settings = anomalyclip.Settings(
            about.get("activation", "quick_gelu"),
            about["image_size"],
            about["features_list"],
            clip.arch.vision_layers + 1 - about["dpam_blocks"],
            about["sigma"],
        )
        return anomalyclip.quantities(clip, inputs, anomaly_parameters(stored, dtype), settings)
    settings = adaclip.Settings(
        about.get("activation", "gelu"),
        about["image_size"],
        about["output_layers"],
        about["k_clusters"],
        about["kmeans_seed"],
        about["sigma"],
    )
    return adaclip.quantities(clip, inputs, ada_parameters(stored, dtype), settings, about["classes"], given)


def clip_of(folder, metadata, dtype):
    return load_clip((folder / metadata.get("clip", DEFAULT_CLIP)).resolve(), dtype)


def anomaly_parameters(stored, dtype):
    names = [name for name in stored["prompt_learner"] if name.startswith(("ctx_", "compound_prompts_text."))]
    return {name: stored["prompt_learner"][name].to(dtype) for name in names}


def ada_parameters(stored, dtype):
    return {name.removeprefix(adaclip.PREFIX): tensor.to(dtype) for name, tensor in stored.items()}


def linear_layers(path, dtype):
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.to(dtype) for name, tensor in stored["linear_layers"].items()}


@torch.no_grad()
def _winclip(folder, metadata, inputs, dtype):
    windows, classes = json.loads(metadata["scales"]), json.loads(metadata["classes"])
    return winclip.quantities(clip_of(folder, metadata, dtype), inputs, metadata["activation"], windows, classes)


@torch.no_grad()
def _clip_ad(folder, metadata, inputs, dtype):
    variants = {variant: selection(metadata[variant]) for variant in ("sdp", "plus")}
    settings = clip_ad.Settings(
        metadata["activation"],
        json.loads(metadata["taps"]),
        json.loads(metadata["classes"]),
        {variant: clip_ad.Cluster(*each[:2]) for variant, each in variants.items()},
        {variant: each[2] for variant, each in variants.items()},
        selections(inputs, metadata),
    )
    linear = linear_layers(folder / metadata["linear"], dtype)
    return clip_ad.quantities(clip_of(folder, metadata, dtype), inputs, linear, settings)


def selection(text):
    """Radius, count and sigma in "dbscan 0.5/15, sigma 8"."""
    radius, count, *sigma = re.findall(r"[\d.]+", text)
    return float(radius), int(count), *(float(each) for each in sigma)


def selections(names, metadata):
    """The radii and counts in the names of a file's tensors, or in the metadata of one to be written."""
    found = {re.fullmatch(r"text\.dbscan_([\d.]+)_(\d+)\.0", name) for name in names} - {None}
    pairs = [match.groups() for match in found] or json.loads(metadata.get("selections", "[]"))
    return [(float(radius), int(count)) for radius, count in pairs]


@torch.no_grad()
def predictions(folder, name, wanted, dtype):
    """The part "images" of a JSON file of predictions, by the settings in its other parts."""
    if name == "predict_prompts.json":
        return {method: _by_prompts(folder, method, each, dtype) for method, each in wanted.items()}
    clip = clip_of(folder, wanted, dtype)
    if name == "predict_winclip.json":
        compute = functools.partial(
            winclip.prediction, clip, activation=wanted["activation"], sides=wanted["windows"], name=wanted["prompt"]
        )
    else:
        cluster = clip_ad.Cluster(*selection(wanted["select"]))
        settings = clip_ad.Settings(
            wanted["activation"],
            wanted["taps"],
            [],
            {"sdp": cluster, "plus": cluster},
            {"sdp": wanted["sigma"]["sdp"], "plus": wanted["sigma"]["sdp_plus"]},
            [],
        )
        linear = linear_layers(folder / wanted["linear"], dtype)
        compute = functools.partial(clip_ad.prediction, clip, linear=linear, settings=settings, name=wanted["prompt"])
    shown = folder / wanted["pictures"]
    return {path.stem: compute(images=image) for path, image in _pictures(shown, wanted["image_size"], dtype)}


def _by_prompts(folder, method, wanted, dtype):
    clip, size = clip_of(folder, wanted, dtype), wanted["image_size"]
    stored = torch.load(folder / wanted["checkpoint"], map_location="cpu", weights_only=True)
    if method == "anomalyclip":
        settings = anomalyclip.Settings("quick_gelu", size, wanted["levels"], wanted["vv_from"], sigma=4)
        model = anomalyclip.AnomalyClip(clip, settings, anomaly_parameters(stored, dtype))
        compute = functools.partial(anomalyclip.prediction, model)
    else:
        settings = adaclip.Settings("gelu", size, wanted["levels"], wanted["clusters"], wanted["kmeans_seed"], sigma=4)
        model = adaclip.AdaClip(clip, settings, ada_parameters(stored, dtype))
        compute = functools.partial(adaclip.prediction, model, name=wanted["name"])
    return {path.name: compute(images=image) for path, image in _pictures(folder / ".." / "predict", size, dtype)}


def _pictures(folder, size, dtype):
    for path in sorted(folder.glob("*.png")):
        yield path, pictures.normalised(path, size, dtype)
