"""What the check works with: the sizes, the packed files, and the large inputs that are made on the spot."""

import functools
import json
import os
import pathlib
import struct
import sys
from dataclasses import dataclass, field

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM, GOLDEN = ROOT / "bin" / "acdclip", ROOT / "testdata" / "golden"
PROMPT = "black rubber gasket"  # tokens.json has the ids of its prompts


SMALL = 70  # pixels of the small pictures, at which tiny CLIPs run
DRAWN = 128  # pictures that are drawn


@dataclass(frozen=True)
class Sizes:
    name: str  # of the CLIP
    clip: tuple  # arguments of the program that writes it
    image_size: int
    width: int  # of the image tower, for PyTorch's own
    heads: int
    depth: int
    pictures: int
    evaluated: int
    batches: tuple
    single: int  # the batch in float32
    batch: int  # of a training step


LARGE = Sizes("a random ViT-L/14", (), 518, 1024, 16, 24, 1024, 256, (1, 4, 16, 32, 64), 16, 2)
TINY = Sizes("a random tiny CLIP", ("tiny",), 70, 128, 2, 12, 4, 4, (1, 2), 2, 2)


@dataclass
class Check:
    """What all parts share."""

    programs: object  # program.Programs
    sizes: Sizes
    device: str
    tiny: bool
    work: pathlib.Path  # a temporary folder
    rates: dict = field(default_factory=dict)  # of predict, by format and batch, once it has run

    def acdclip(self, *words, **options):
        return self.programs.run(PROGRAM, *words, **options)

    def python(self, script, *words, **options):
        return self.programs.run(sys.executable, pathlib.Path(__file__).with_name(script), *words, **options)

    @functools.cached_property
    def small(self):
        """A random tiny CLIP."""
        self.acdclip("weights", "init", self.work / "small")
        return self.work / "small"

    @functools.cached_property
    def small_pictures(self):
        """Eight small pictures, half of them anomalous."""
        return self.draw("small-pictures", 8, SMALL)

    @functools.cached_property
    def large(self):
        """The large CLIP, and its adapters in the format of the authors."""
        folder = self.work / "large"
        folder.mkdir()
        self.programs.run(ROOT / "bin" / "inputs", folder, 0, *self.sizes.clip)
        torch.save(authors_checkpoint(read_safetensors(folder / "start.safetensors")), folder / "start.pth")
        return folder / "clip", folder / "start.pth"

    @functools.cached_property
    def pictures(self):
        """A dataset of the large CLIP's size, half of it anomalous. Drawing is slow, so files have several names."""
        drawn = min(self.sizes.pictures, DRAWN)
        folder = self.draw("drawn", drawn, self.sizes.image_size)
        for path in list(folder.glob("*/*/*/*.png")):
            number, rest = path.name[:3], path.name[3:]
            for copy in range(1, self.sizes.pictures // drawn):
                os.link(path, path.with_name(f"{number}-{copy:02}{rest}"))
        return folder

    def draw(self, name, count, size):
        folder, half = self.work / name, count // 2
        self.acdclip(
            "data", "synth", folder, "--set", "textures", "--classes", "wood_grain", "--size", size, "--normal", half,
            "--anomalous", count - half, "--quiet",
        )  # fmt: skip
        return folder

    def chosen(self, count):
        """A file that lists the first pictures of the dataset."""
        return self.listed(0, count)

    def listed(self, start, end):
        """A file that lists the pictures of the dataset from start to before end."""
        found = sorted(self.pictures.glob("*/test/*/*.png"))
        file = self.work / f"list-{start}-{end}"
        file.write_text("".join(f"{path}\n" for path in found[start:end]))
        return file


def authors_checkpoint(parameters):
    sys.path.insert(0, str(ROOT / "scripts" / "reference"))
    import names

    return names.to_checkpoint(parameters)


def read_safetensors(path):
    """The float32 tensors of a small file, by name."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = torch.from_numpy(np.frombuffer(data[begin:end], np.float32).copy()).reshape(entry["shape"])
    return tensors


def json_lines(text):
    """The lines of a text that are JSON objects."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
