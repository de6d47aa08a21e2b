"""Reads a trained CLIP: an exported folder, a run's folder or its checkpoint."""

import json
import pathlib
import sys

import torch

sys.path.append(str(pathlib.Path(__file__).parent.parent / "reference"))

import towers  # noqa: E402  (scripts/reference)
from model import Arch, Clip  # noqa: E402
from vocabulary import Vocabulary  # noqa: E402


def load(path):
    """The model in float32, frozen, and its vocabulary."""
    path = pathlib.Path(path)
    if (path / "config.json").exists():
        return from_folder(path)
    saved = torch.load(path / "checkpoint.pt" if path.is_dir() else path, weights_only=True)
    return filled(Arch(**saved["arch"]), saved["model"]), Vocabulary(saved["kept"])


def from_folder(path):
    weights = towers.from_hugging_face(towers.read_folder(path))
    config = json.loads((path / "config.json").read_text())
    sizes = towers.Arch.of(weights)
    vision_heads, text_heads = towers.hugging_face_heads(path)
    arch = Arch(
        vocab_size=sizes.vocab_size,
        image_size=sizes.image_size,
        patch=sizes.patch,
        vision_width=sizes.vision_width,
        vision_layers=sizes.vision_layers,
        vision_heads=vision_heads,
        text_width=sizes.text_width,
        text_layers=sizes.text_layers,
        text_heads=text_heads,
        embed_dim=sizes.embed_dim,
        context=sizes.context_length,
    )
    return filled(arch, weights), Vocabulary(config["text_config"]["kept_tokens"])


def filled(arch, weights):
    model = Clip(arch)
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return model.eval().requires_grad_(False)


def random_model(arch, seed=0):
    """A model of the same shape that was not trained."""
    torch.manual_seed(seed)
    return Clip(arch).eval().requires_grad_(False)
