"""Writes the golden data of the methods other than ACD-CLIP: a golden folder's folder `methods`; make_golden.py calls it.

Settings are a dict (see OWN): the CLIPs, and for each method a list of files, whose entries follow its golden metadata.
"""

import json

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

import anomalyclip
import clip_ad
import golden_methods
import pictures
import tiny_clip

# The small data in the repository. Widths, blocks and heads: vision, text.
OWN = {
    "clips": {
        "clip_tiny": {
            "form": "open_clip",
            "patch": 4,
            "image_size": 12,
            "layers": [4, 3],
            "widths": [16, 6],
            "heads": [2, 2],
            "embed": 8,
            "scale": 0.25,
            "quick_gelu": False,
            "room": 1024,
        }
    },
    "predict": {"image_size": 20, "prompt": "painted sheet"},
    "winclip": [{"image_size": 20, "windows": [2, 3], "classes": ["metal nut", "gasket"], "pictures": 2}],
    "clip_ad": [
        {
            "image_size": 20,
            "taps": [1, 2, 4],
            "classes": ["metal_nut", "gasket"],
            "pictures": 3,
            "sdp": "dbscan 0.18/9, sigma 6",
            "plus": "dbscan 0.1/12, sigma 1.5",
            "selections": [[0.18, 9], [0.06, 4]],
        }
    ],
    "anomalyclip": [
        {"image_size": 20, "levels": [2, 4], "vv_from": 2, "words": 5, "depth": 3, "tokens": 2, "sigma": 4, "pictures": 2}
    ],
    "adaclip": [
        {
            "image_size": 20,
            "levels": [1, 2, 4],
            "depth": 3,
            "length": 2,
            "clusters": 3,
            "seed": 111,
            "sigma": 2,
            "classes": ["metal_nut", "black-ish gasket"],
        }
    ],
}
AFTER_LARGEST = 5000  # maximum number of values of a parameter that AdaCLIP's file holds after the steps
NEAR_RADIUS, NEAR_DISTANCE = 5e-7, 1e-4  # nearer ones would make clusters and selected patches a matter of rounding


def make(maker, settings):
    Methods(maker, settings).make()


class Methods:
    def __init__(self, maker, settings):
        self.maker, self.settings, self.dtype = maker, settings, maker.dtype
        self.folder = maker.out / "methods"
        self.folder.mkdir(parents=True, exist_ok=True)

    def make(self):
        for name, about in self.settings["clips"].items():
            about = {key: tuple(value) if isinstance(value, list) else value for key, value in about.items()}
            shape = tiny_clip.Shape(**{key: value for key, value in about.items() if key != "form"})
            tiny_clip.write(self.folder / name, about["form"], shape, self.maker.generator("methods " + name))
        for method in golden_methods.FILES:
            for i, about in enumerate(self.settings[method]):
                about = {"clip": next(iter(self.settings["clips"]))} | about
                getattr(self, method)(f"{method}_{i + 1}", about)
        self.predictions()

    def path(self, name):
        return self.folder / f"{name}.safetensors"

    def save(self, name, tensors, metadata):
        self.maker.save(f"methods/{name}.safetensors", tensors, metadata)

    def draw(self, name, count):
        """Pictures [h, w, 3] of several sizes and masks [h, w] of 0 and 255, the first of a good part."""
        random = np.random.default_rng(self.maker.seed * 1000 + sum(name.encode()))
        return zip(*(picture(random, anomalous=i > 0) for i in range(count)))

    def resized(self, shown, size):
        return torch.stack([torch.from_numpy(pictures.resize(Image.fromarray(each), size).copy()) for each in shown])

    def clip(self, about):
        return golden_methods.clip_of(self.folder, about, self.dtype)

    def winclip(self, name, about):
        classes = about["classes"]
        shown, _ = self.draw(name, about["pictures"])
        inputs = tensors("in.picture", shown) | {
            "in.resized": self.resized(shown, about["image_size"]),
            "in.class": torch.arange(len(shown)) % len(classes),
        }
        metadata = {
            "clip": about["clip"],
            "activation": about.get("activation", "gelu"),
            "image_size": about["image_size"],
            "grid": about["image_size"] // self.clip(about).arch.patch,
            "scales": json.dumps(about["windows"]),
            "classes": json.dumps(classes),
            "seed": self.maker.seed,
        }
        metadata = texts(metadata)
        out = golden_methods.compute(self.path(name), metadata, inputs, self.dtype)
        out = {key: narrow(tensor) if key.startswith("mask.") else tensor for key, tensor in out.items()}
        self.save(name, out | inputs, metadata)

    def clip_ad(self, name, about):
        size, count, classes = about["image_size"], about["pictures"], about["classes"]
        shown, masks = self.draw(name, count)
        inputs = tensors("in.picture", shown) | tensors("in.mask", masks)
        inputs |= {
            "in.resized": self.resized(shown, size),
            "in.target": torch.stack([torch.from_numpy(pictures.resize_mask(mask, size)) for mask in masks]),
            "in.class": torch.arange(count) * len(classes) // count,
            "in.label": torch.tensor([int(mask.any()) for mask in masks]),
        }
        clip, generator = self.clip(about), self.maker.generator(name)
        shapes = {"weight": (clip.arch.embed_dim, clip.arch.vision_width), "bias": (clip.arch.embed_dim,)}
        linear = {
            f"fc.{i}.{part}": uniform(shape, clip.arch.vision_width**-0.5, generator)
            for i in range(len(about["taps"]))
            for part, shape in shapes.items()
        }
        torch.save({"linear_layers": packed(linear)}, self.folder / f"{name}_linear.pth")
        metadata = {
            "clip": about["clip"],
            "linear": f"{name}_linear.pth",
            "activation": about.get("activation", "gelu"),
            "image_size": size,
            "grid": size // clip.arch.patch,
            "taps": json.dumps(about["taps"]),
            "classes": json.dumps(classes),
            "sdp": about["sdp"],
            "plus": about["plus"],
            "selections": json.dumps(about["selections"]),
            "train": "plus's text, Adam lr 0.0001, the first half of the pictures, then the others",
            "seed": self.maker.seed,
        }
        metadata = texts(metadata)
        out = golden_methods.compute(self.path(name), metadata, inputs, self.dtype)
        used = [golden_methods.selection(about[variant])[:2] for variant in ("sdp", "plus")]
        for cluster in (clip_ad.Cluster(*each) for each in [*used, *about["selections"]]):
            for key in (key for key in out if key.startswith("text.embeddings.")):
                gap = cluster.gap(out[key])
                check(gap > NEAR_RADIUS, f"{name}: {key} has a pair {gap:.1e} off radius {cluster.radius}")
        out = {key: narrow(tensor) if ".labels." in key else tensor for key, tensor in out.items()}
        self.save(name, out | inputs, metadata)

    def scored(self, name, count, size):
        """The inputs of AnomalyCLIP's and AdaCLIP's files."""
        shown, masks = self.draw(name, count)
        inputs = tensors("in.picture", shown) | tensors("in.picture_mask", masks)
        return inputs | {
            "in.image": pictures.normalise(self.resized(shown, size)),
            "in.mask": torch.stack([torch.from_numpy(pictures.resize_mask(mask, size)) for mask in masks]),
            "in.label": torch.tensor([int(mask.any()) for mask in masks]),
        }

    def anomalyclip(self, name, about):
        clip, generator, words = self.clip(about), self.maker.generator(name), about["words"]
        width = clip.arch.text_width
        stored = {f"ctx_{state}": normal((1, 1, words, width), 0.2, generator) for state in anomalyclip.STATES}
        stored |= {
            f"compound_prompts_text.{i}": normal((about["tokens"], width), 0.2, generator) for i in range(about["depth"] - 1)
        }
        stored |= anomalyclip.copied_embeddings(clip, words)
        stored = packed(stored)
        unused = normal((anomalyclip.PROJECTION - 1 + width,), 0.1, generator)
        for i in range(about["depth"] - 1):
            rows = anomalyclip.PROJECTION  # overlapping, as the words of tiny_clip.py
            stored[f"compound_prompt_projections.{i}.weight"] = torch.as_strided(unused, (rows, width), (1, 1))
            stored[f"compound_prompt_projections.{i}.bias"] = unused[:rows]
        torch.save({"prompt_learner": stored}, self.path(name).with_suffix(".pth"))
        golden = {
            "method": "anomalyclip",
            "clip": about["clip"],
            "image_size": about["image_size"],
            "features_list": about["levels"],
            "dpam_blocks": clip.arch.vision_layers + 1 - about["vv_from"],
            "n_ctx": words,
            "depth": about["depth"],
            "t_n_ctx": about["tokens"],
            "sigma": about["sigma"],
            "learning_rate": anomalyclip.LEARNING_RATE,
            "betas": anomalyclip.BETAS,
            "lam": anomalyclip.LAMBDA,
        }
        self.finish(name, about, golden, self.scored(name, about["pictures"], about["image_size"]))

    def adaclip(self, name, about):
        clip, generator, m = self.clip(about), self.maker.generator(name), about["length"]
        c, w, d = clip.arch.vision_width, clip.arch.text_width, clip.arch.embed_dim
        stored = {}
        for tower, width in (("text", w), ("visual", c)):
            for i in range(about["depth"]):
                stored[f"{tower}_prompter.static_prompts.{i}"] = normal((m, width), 0.2, generator)
        linears = {f"patch_token_layer.head.{n}": (d, c) for n in range(len(about["levels"]))}
        linears |= {"cls_token_layer.head.0": (d, d)}
        linears |= {f"dynamic_visual_prompt_generator.head.{k}": (c, d) for k in range(m)}
        linears |= {f"dynamic_text_prompt_generator.head.{k}": (w, d) for k in range(m)}
        for linear, shape in linears.items():
            stored[f"{linear}.weight"] = uniform(shape, shape[1] ** -0.5, generator)
            stored[f"{linear}.bias"] = uniform(shape[:1], shape[1] ** -0.5, generator)
        prefix = golden_methods.adaclip.PREFIX
        torch.save({prefix + key: tensor for key, tensor in packed(stored).items()}, self.path(name).with_suffix(".pth"))
        golden = {
            "method": "adaclip",
            "clip": about["clip"],
            "image_size": about["image_size"],
            "output_layers": about["levels"],
            "prompting_depth": about["depth"],
            "prompting_length": m,
            "k_clusters": about["clusters"],
            "kmeans_seed": about["seed"],
            "sigma": about["sigma"],
            "classes": about["classes"],
            "learning_rate": golden_methods.adaclip.LEARNING_RATE,
            "betas": golden_methods.adaclip.BETAS,
            "weight_decay": golden_methods.adaclip.DECAY,
        }
        self.finish(name, about, golden, self.scored(name, len(about["classes"]), about["image_size"]))

    def finish(self, name, about, golden, inputs):
        if "activation" in about:
            golden["activation"] = about["activation"]
        metadata = {"golden": json.dumps(golden)}
        out = golden_methods.compute(self.path(name), metadata, inputs, self.dtype)
        if golden["method"] == "adaclip":
            out = {key: tensor for key, tensor in out.items() if not key.startswith("after2.") or tensor.numel() <= AFTER_LARGEST}
            check_places(name, out, len(golden["output_layers"]))
        self.save(name, out | inputs, metadata)

    def predictions(self):
        """The scores of the pictures in the folder `predict`, with the first file of each method."""
        about = self.settings["predict"]
        size, prompt = about["image_size"], about["prompt"]
        first = {method: {"clip": next(iter(self.settings["clips"]))} | self.settings[method][0] for method in golden_methods.FILES}
        paths = {"prompt": prompt, "pictures": "../predict"}
        of = first["winclip"]
        window = {"clip": of["clip"], "activation": of.get("activation", "gelu"), "image_size": size, "windows": of["windows"]}
        of = first["clip_ad"]
        radius, count, sigma = golden_methods.selection(of["sdp"])
        staged = {
            "clip": of["clip"],
            "linear": "clip_ad_1_linear.pth",
            "activation": of.get("activation", "gelu"),
            "image_size": size,
            "taps": of["taps"],
            "select": f"cluster {radius}/{count}",
            "sigma": {"sdp": sigma, "sdp_plus": golden_methods.selection(of["plus"])[2]},
        }
        learned = {}
        for method in ("anomalyclip", "adaclip"):
            of = first[method]
            learned[method] = {"clip": of["clip"], "checkpoint": f"{method}_1.pth", "image_size": size, "levels": of["levels"]}
        learned["anomalyclip"]["vv_from"] = first["anomalyclip"]["vv_from"]
        learned["adaclip"] |= {"clusters": first["adaclip"]["clusters"], "kmeans_seed": first["adaclip"]["seed"], "name": prompt}
        for name, content in zip(golden_methods.PREDICTIONS, (window | paths, staged | paths, learned)):
            images = golden_methods.predictions(self.folder, name, content, self.dtype)
            if name == "predict_prompts.json":
                content = {method: each | {"images": images[method]} for method, each in content.items()}
            else:
                content = content | {"images": images}
            self.maker.json(f"methods/{name}", content)


def picture(random, anomalous):
    """A small smooth surface with a bright or dark spot if it is anomalous, and the mask of the spot."""
    height, width = (int(side) for side in random.integers(12, 27, 2))
    noise = Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))
    shown, mask = noise.filter(ImageFilter.BoxBlur(1)), Image.new("L", (width, height))
    if anomalous:
        left, top = random.integers(2, width // 2), random.integers(2, height // 2)
        spot = tuple(int(end) for end in (left, top, left + width // 3, top + height // 3))
        ImageDraw.Draw(shown).ellipse(spot, fill=tuple(int(level) for level in random.integers(0, 256, 3)))
        ImageDraw.Draw(mask).ellipse(spot, fill=255)
    return np.asarray(shown), np.asarray(mask)


def check_places(name, out, levels):
    """Refuses selected patches whose order is a matter of rounding."""
    mean = sum(out[f"logits.{n}"] for n in range(levels)) / levels
    ranked = (mean[..., 1] - mean[..., 0]).sort(dim=1, descending=True).values
    count = min(out["hsf.indices"].shape[1] + 1, ranked.shape[1])
    gap = -ranked[:, :count].diff(dim=1).max().item()
    check(gap > NEAR_DISTANCE, f"{name}: two patches' logits are {gap:.1e} apart")


def check(holds, message):
    if not holds:
        raise SystemExit(f"{message}: choose another seed")


def tensors(name, arrays):
    return {f"{name}.{i}": torch.from_numpy(each.copy()) for i, each in enumerate(arrays)}


def texts(metadata):
    return {key: str(value) for key, value in metadata.items()}


def packed(tensors):
    """The float32 tensors as views of one storage, which makes the file smaller."""
    floats = {key: tensor for key, tensor in tensors.items() if tensor.dtype == torch.float32}
    parts = torch.cat([tensor.flatten() for tensor in floats.values()]).split([tensor.numel() for tensor in floats.values()])
    return tensors | {key: part.view(tensor.shape) for (key, tensor), part in zip(floats.items(), parts)}


def narrow(whole):
    """Small whole numbers in one byte or two."""
    return whole.to(torch.int8 if whole.abs().max() < 128 else torch.int16)


def normal(shape, deviation, generator):
    return torch.empty(shape).normal_(0, deviation, generator=generator)


def uniform(shape, bound, generator):
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)
