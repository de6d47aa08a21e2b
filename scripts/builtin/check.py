"""Checks an exported model: transformers and the reference's towers read the same model from it as from the run's
checkpoint, and rounding to float16 hardly changes its maps. Exits with status 1 if not."""

import argparse
import pathlib
import sys

import numpy as np
import torch
from transformers import CLIPModel

sys.path.append(str(pathlib.Path(__file__).parent.parent / "reference"))

import prompts  # noqa: E402  (scripts/reference)
import towers  # noqa: E402
from evaluate import clip_maps  # noqa: E402
from load import load  # noqa: E402

NAME = "coarse linen"
EXACT, ROUNDED = 1e-4, 0.02  # largest allowed differences: of unit embeddings; of probabilities


def unit(x):
    return torch.nn.functional.normalize(x, dim=-1)


def theirs(folder, rows, images):
    """Transformers' text embeddings and tokens, unit."""
    model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
    hidden = model.vision_model(images).last_hidden_state
    tokens = model.visual_projection(model.vision_model.post_layernorm(hidden))
    pooled = model.text_model(input_ids=rows).pooler_output
    return unit(model.text_projection(pooled)), unit(tokens)


def reference(folder, rows, images):
    """The same of scripts/reference."""
    model = towers.load(folder)
    hidden, _ = model.encode_image(images, "gelu")
    return unit(model.encode_text(rows, "gelu")), unit(model.image_embedding(hidden))


@torch.inference_mode()
def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("run", type=pathlib.Path, help="a run's folder, or a checkpoint")
    arguments.add_argument("folder", type=pathlib.Path, help="the exported model")
    arguments = arguments.parse_args()
    (model, vocabulary), (full, _) = load(arguments.folder), load(arguments.run)
    texts = [text for state in prompts.prompts(NAME) for text in state] + ["a photo of an unheard thingummy."]
    rows, generator, differences = vocabulary.batch(texts), torch.Generator().manual_seed(0), {}
    stored = model.arch.image_size
    for size in (stored, stored * 7 // 5):
        images = torch.randn(4, 3, size, size, generator=generator)
        ours = model.text(rows), model.visual(images)
        readers = {"reference": reference} | ({"transformers": theirs} if size == stored else {})
        for reader, read in readers.items():
            for part, a, b in zip(("text", "tokens"), ours, read(arguments.folder, rows, images)):
                differences[f"{reader}, {part}, {size} px"] = (a - b).abs().max().item(), EXACT
        pixels = torch.randint(0, 256, (4, size // 8, size // 8, 3), generator=generator).repeat_interleave(8, 1).repeat_interleave(8, 2)
        maps = [clip_maps(each, vocabulary, NAME, pixels.byte().numpy()) for each in (model, full)]
        for part, a, b in zip(("maps", "class"), *maps):
            differences[f"float16, {part}, {size} px"] = float(np.abs(a - b).max()), ROUNDED
    for name, (difference, limit) in differences.items():
        print(f"{name:32} {difference:.2e}  limit {limit:g}")
    if any(difference > limit for difference, limit in differences.values()):
        raise SystemExit("too different")


if __name__ == "__main__":
    main()
