"""A training step of the released recipe with the model of scripts/reference; called by bench/train.py.

    train_peer.py FOLDER PICTURE MASK PROMPT STEPS

The released code computes gradients of CLIP's weights too, lets every attention return its weights (so that none is
fused), and encodes the prompts' 77 tokens in each step. Prints one line of JSON: the seconds and the loss of each step.
"""

import json
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scripts" / "reference"))
import pictures  # noqa: E402
import prompts  # noqa: E402
import towers  # noqa: E402
from model import AcdClip  # noqa: E402
from options import RELEASED  # noqa: E402
from recipe import Trainer  # noqa: E402


class ReleasedClip(towers.Clip):
    """CLIP as in the released code's training."""

    def __init__(self, weights):
        super().__init__(weights)
        for tensor in weights.values():
            tensor.requires_grad_(True)

    def _attention(self, name, x, heads, causal=False, values_only=False):
        """nn.MultiheadAttention's own function, with need_weights."""
        x, w = x.transpose(0, 1), self.weights
        length, _, width = x.shape
        mask = torch.full((length, length), float("-inf")).triu(1) if causal else None
        mixed, _ = F.multi_head_attention_forward(
            x, x, x, width, heads, w[name + ".in_proj_weight"], w[name + ".in_proj_bias"], None, None, False, 0.0,
            w[name + ".out_proj.weight"], w[name + ".out_proj.bias"], attn_mask=mask, need_weights=True,
        )  # fmt: skip
        return mixed.transpose(0, 1)


def main(folder, picture, mask, prompt, steps):
    folder, size = pathlib.Path(folder), RELEASED.image_size
    clip = ReleasedClip(towers.load(folder / "clip").weights)
    trainer = Trainer(AcdClip(clip, RELEASED, load_file(folder / "start.safetensors")))
    image = pictures.normalised(picture, size)
    mask = Image.open(mask).convert("L").resize((size, size), Image.Resampling.NEAREST)
    mask, label = torch.from_numpy(np.array(mask) > 0)[None, None].float(), torch.tensor([1])
    seconds, losses = [], []
    for _ in range(int(steps)):
        start = time.perf_counter()
        loss = trainer.gradient(image, prompts.class_ids(prompt), mask, label).total.item()
        trainer.step()
        seconds.append(time.perf_counter() - start)
        losses.append(loss)
    print(json.dumps({"seconds": seconds, "losses": losses}))


if __name__ == "__main__":
    main(*sys.argv[1:])
