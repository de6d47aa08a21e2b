"""Writes a golden folder.

`python make_golden.py OUT [--seed N] [--released 2 3 ...] [--paper 2 3 ...]
[--ablations lora_static ...] [--settings FILE]`.

File names, tensor names and metadata are those that check.py and the Go tests read; the files are small enough for a repository.
Values are computed in float64 and stored in float32; inputs and parameters, which are exact in half precision, are stored so.
"""

import argparse
import json
import pathlib
from dataclasses import replace

import numpy as np
import torch
from safetensors.torch import save

import drawn
import initial
import make_methods
import metrics
import names
import pictures
import prompts
import quantities
import tiny_clip
import towers
from options import PAPER, RELEASED
from windows import Windows

HIDDEN = 16
ACDCLIP = {"shape": {}, "image_size": 35}  # changes of tiny_clip.Shape; the pictures' size
DATASET_CLASS, PROMPT = "Drawn/gasket", "black rubber gasket"
AFTER_LARGEST = 1200  # maximum number of values of a parameter that is stored after three steps
ABLATIONS = ("lora_static", "lora_dfg", "conv_lora_static")
TEXTS = [
    "", " ", "scratch", "A Photo of a Broken GEARWHEEL.", "it's we'll they'd I'm", "2 x 45 mm, ±0.1 %", "a\tb\r\nc  d",
    "“smooth” – ‘matte’ …", "naïve façade, Straße, İstanbul, ΟΔΟΣ", "表面の傷 검사 трещина", "&lt;i&gt;dent&amp;amp;nick&lt;/i&gt;",
    "<|startoftext|>rust<|endoftext|>", "ﬁne ﬂaw ﬀ ＡＢＣ１２３", "e\u0301tage \u212b", "🔩🛠 ok", "!?#$%&*()[]{}|~^_`\\", "0123456789" * 12,
    "pitting " * 90, "corrosion-" * 20,
]


class Maker:
    def __init__(self, out, seed, shape, image_size, dtype=torch.float64):
        self.out, self.seed, self.dtype = out, seed, dtype
        self.shape, self.image_size = shape, image_size
        self.widths = shape.widths[0], shape.embed, HIDDEN
        out.mkdir(parents=True, exist_ok=True)

    def generator(self, purpose):
        """Each file has its own random numbers, so that files do not depend on each other."""
        return torch.Generator().manual_seed(self.seed * 1000 + sum(purpose.encode()))

    def save(self, name, tensors, metadata):
        """Tensors in order of their names, with float64 results (except losses) as float32."""
        stored = {
            key: (tensor if key == "losses" or tensor.dtype != torch.float64 else tensor.float()).contiguous()
            for key, tensor in sorted(tensors.items())
        }
        content = save(stored, {key: str(value) for key, value in metadata.items()})
        (self.out / name).write_bytes(with_sorted_metadata(content))

    def make_clip(self):
        tensors = tiny_clip.weights(self.shape, self.generator("clip"))
        tiny_clip.save_openai(self.out / "clip_tiny_openai.pt", tensors, self.shape)
        tiny_clip.save_hugging_face(self.out / "clip_tiny_hf", tensors, self.shape)
        self.clip = towers.load(self.out / "clip_tiny_openai.pt", self.dtype)
        image = self.noise("clip image", (2, 3, self.shape.image_size, self.shape.image_size))
        ids = prompts.encode([f"a photo of a {PROMPT}.", "scratch"])
        out = quantities.clip_quantities(self.clip, image.to(self.dtype), ids)
        sizes = {"image_size": self.shape.image_size, "patch": self.shape.patch}
        widths = dict(zip(("vision_width", "text_width"), self.shape.widths))
        self.save("clip_tiny.safetensors", out | {"in.image": image, "in.ids": ids.int()}, sizes | widths)

    def noise(self, purpose, shape):
        return torch.empty(shape).normal_(generator=self.generator(purpose)).half()

    def inputs(self, purpose):
        """One normal and one anomalous picture."""
        mask = torch.zeros(2, 1, self.image_size, self.image_size, dtype=torch.float16)
        mask[1, 0, 5:16, 12:27] = 1
        mask[1, 0, 24:31, 3:9] = 1
        image = self.noise(purpose, (2, 3, self.image_size, self.image_size))
        return {"in.image": image, "in.mask": mask, "in.label": torch.tensor([0, 1])}

    def cast(self, tensors):
        return {key: tensor.to(self.dtype) if tensor.is_floating_point() else tensor for key, tensor in tensors.items()}

    def released_checkpoint(self, groups):
        options = replace(RELEASED, groups=groups)
        shapes = initial.shapes(options, *self.widths)
        parameters = random_parameters(shapes, self.generator(f"released {groups} parameters"))
        torch.save(names.to_checkpoint(parameters), self.out / f"released_n{groups}_adapter_1.pth")

    def released(self, groups):
        path = self.out / f"released_n{groups}_adapter_1.pth"
        model, released = quantities.released_model(self.clip, torch.load(path), groups, self.image_size)
        inputs = self.inputs(f"released {groups}")
        out = quantities.released_quantities(model, released, self.cast(inputs), PROMPT)
        out = {
            name: tensor
            for name, tensor in out.items()
            if not name.startswith("after3.") or tensor.numel() <= AFTER_LARGEST
        }
        metadata = {
            "n_groups": groups,
            "image_size": self.image_size,
            "vision_width": self.shape.widths[0],
            "text_width": self.shape.widths[1],
            "hidden": HIDDEN,
            "class": f"{DATASET_CLASS} = {PROMPT}",
            "seed": self.seed,
            "losses": "rows = steps; columns = ce, focal, dice(normal), dice(abnormal), total",
        }
        self.save(f"released_n{groups}.safetensors", out | inputs, metadata)

    def paper(self, groups, kind="conv_lora", fusion="dfg", lambdas=(1.0, 1.0, 1.0)):
        suffix = "" if (kind, fusion) == ("conv_lora", "dfg") else f"_{kind}_{fusion}"
        name = f"paper_n{groups}{suffix}.safetensors"
        options = replace(PAPER, groups=groups, kind=kind, fusion=fusion)
        shapes = initial.shapes(options, *self.widths)
        parameters = random_parameters(shapes, self.generator(name + " parameters"))
        inputs = self.inputs(name) | {f"param.{key}": tensor.half() for key, tensor in parameters.items()}
        for state, ids in zip(("normal", "abnormal"), prompts.class_ids(PROMPT)):
            inputs[f"in.ids.{state}"] = ids.int()
        metadata = {
            "n_groups": groups,
            "adapter": kind,
            "fusion": fusion,
            "tau": PAPER.tau,
            "lambda_focal_dice_cls": lambdas,
            "losses": "focal, dice, cls, total",
        }
        metadata = {key: str(value) for key, value in metadata.items()}
        cast = self.cast(inputs)
        out = quantities.paper_quantities(quantities.paper_model(self.clip, metadata, cast), cast)
        self.save(name, out | inputs, metadata)

    def loss(self):
        """Includes probabilities at and near 0 and 1, inside and outside the mask, and short and long gradients."""
        generator = self.generator("loss")
        abnormal = torch.rand(3, 8, 8, generator=generator)
        edges = torch.tensor([0, 1e-8, 1e-6, 2e-5, 1 - 2e-5, 1 - 1e-6, 1, 0.5])
        abnormal[:, 0], abnormal[:, 4] = edges, edges
        mask = torch.zeros(3, 1, 8, 8)
        mask[1, :, 3:6, 1:] = 1
        mask[2] = 1
        tensors = {"in.abnormal": abnormal, "in.mask": mask}
        for i, norm in enumerate((0.3, 0.999, 1.001, 7.0)):
            vector = torch.empty(1, 1, 64).normal_(generator=generator)
            tensors[f"clip.{i}.before"] = vector * (norm / vector.norm())
        out = quantities.loss_quantities(self.cast(tensors))
        metadata = {
            "in.abnormal": "[B, H, W]; the released losses get [1 - a, a] on channels",
            "clip": "torch clip_grad_norm_ to 1.0 of one vector",
        }
        self.save("loss.safetensors", out | tensors, metadata)

    def json(self, name, content):
        (self.out / name).write_text(json.dumps(content, ensure_ascii=True) + "\n")

    def tokens(self):
        texts = TEXTS + [prompt for state in prompts.prompts(PROMPT) for prompt in state]
        self.json("tokens.json", [{"text": t, "ids": prompts.up_to_end(prompts.encode([t])[0])} for t in texts])

    def metrics(self):
        random, rows = np.random.default_rng(self.seed), []
        for count, positives, levels in ((10, 0.5, None), (200, 0.1, None), (150, 0.02, 20), (300, 0.5, 3)):
            label = (random.random(count) < positives).astype(int)
            label[:2] = 0, 1
            score = random.normal(size=count) + label
            if levels:
                score = np.round((score - score.min()) / np.ptp(score) * levels) / levels
            rows.append((f"n={count} positives~{positives} ties={levels}", label, score))
        label = np.arange(40) % 4 == 0
        rows.append(("all scores equal", label, np.full(40, 0.25)))
        rows.append(("perfect", label, label * 0.5))
        rows.append(("inverted", label, 1 - label * 0.5))
        rows.append(("scores crowded near 1: linear bins fail here", label, 1 - random.random(40) * 1e-6))
        self.json("metrics.json", {"rows": [ranking_row(*row) for row in rows], "aupro": self.aupro(random)})

    def aupro(self, random, side=16, count=4):
        masks = np.zeros((count, side, side), dtype=int)
        masks[0, 2:6, 3:9] = masks[0, 9:12, 9:15] = masks[1, 0:3, 12:] = 1
        masks[1, 8, 4] = masks[1, 9, 5] = masks[1, 10, 4] = masks[3, 5:15, 5:15] = 1  # connected at corners
        maps = np.round(random.random(masks.shape) * 0.6 + masks * random.random(masks.shape), 3)
        maps = maps.astype(np.float32).astype(float)
        pixels = metrics.ranking(masks.ravel(), maps.ravel())
        return {
            "height": side,
            "width": side,
            "maps": maps.reshape(count, -1).tolist(),
            "masks": masks.reshape(count, -1).tolist(),
            "regions": metrics.regions(masks)[1],
            "aupro_30": metrics.aupro(maps, masks, 0.3),
            "aupro_05": metrics.aupro(maps, masks, 0.05),
            "pixel_auroc": pixels["auroc"],
            "pixel_ap": pixels["ap"],
        }

    def predict(self, groups=3, prompt="painted sheet"):
        folder = self.out / "predict"
        folder.mkdir(exist_ok=True)
        checkpoint = torch.load(self.out / f"released_n{groups}_adapter_1.pth")
        model, _ = quantities.released_model(self.clip, checkpoint, groups, self.image_size)
        with torch.no_grad():
            text = model.text(*prompts.class_ids(prompt))
        images = {
            kind: quantities.prediction(model, pictures.normalised(folder / f"{kind}.png", self.image_size, self.dtype), text)
            for kind in drawn.write(folder, self.seed)
        }
        expected = {"prompt": prompt, "image_size": self.image_size, "groups": groups, "preset": "released", "images": images}
        self.json("predict/expected.json", expected)


def with_sorted_metadata(content):
    """A safetensors file's bytes with sorted metadata: the library writes it in any order."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[end:]


def random_parameters(shapes, generator):
    """Values that are exact in half precision and keep every gradient away from zero, as windows of few storages."""
    largest = max(torch.Size(shape).numel() for shape in shapes.values())
    sources = {  # part of the name -> mean, standard deviation, number of values
        "blend": (0.2, 0.03, 128),
        "norm.weight": (1.0, 0.1, 128),
        "gate": (0.0, 0.4, 2048),
        "": (0.0, 0.12, largest),
    }
    windows = {
        part: Windows(size, mean, std, generator, room=1024) for part, (mean, std, size) in sources.items()
    }
    return {
        name: next(window for part, window in windows.items() if part in name).window(*shape)
        for name, shape in shapes.items()
    }


def ranking_row(note, label, score):
    score = np.asarray(score, dtype=np.float32).astype(float)
    label = np.asarray(label, dtype=int)
    return {"note": note, "label": label.tolist(), "score": score.tolist()} | metrics.ranking(label, score)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--released", type=int, nargs="+", default=[2], metavar="N")
    parser.add_argument("--paper", type=int, nargs="+", default=[3], metavar="N")
    parser.add_argument("--ablations", nargs="*", choices=ABLATIONS, default=["lora_static", "lora_dfg"])
    parser.add_argument("--settings", type=pathlib.Path, help="JSON in place of ACDCLIP and make_methods.OWN")
    parser.add_argument("--only-methods", action="store_true", help="write the folder methods alone; predict/ must be there")
    arguments = parser.parse_args()
    settings = {"acdclip": ACDCLIP, "methods": make_methods.OWN}
    if arguments.settings:
        settings = json.loads(arguments.settings.read_text())
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    shape = {key: tuple(value) if isinstance(value, list) else value for key, value in settings["acdclip"]["shape"].items()}
    maker = Maker(arguments.out, arguments.seed, tiny_clip.Shape(**shape), settings["acdclip"]["image_size"])
    if not arguments.only_methods:
        acdclip(maker, arguments)
    make_methods.make(maker, settings["methods"])


def acdclip(maker, arguments):
    maker.make_clip()
    for groups in {3, *arguments.released}:  # predict/ needs 3
        maker.released_checkpoint(groups)
    for groups in arguments.released:
        maker.released(groups)
    for groups in arguments.paper:
        maker.paper(groups)
    for ablation in arguments.ablations:
        maker.paper(2, *ablation.rsplit("_", 1), lambdas=(2.0, 0.5, 0.25))
    maker.loss()
    maker.tokens()
    maker.metrics()
    maker.predict()


if __name__ == "__main__":
    main()
