"""Decodes pictures with Pillow, scales them to a square and normalises them."""

import numpy as np
import torch
from PIL import Image

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def decode(path):
    return Image.open(path).convert("RGB")


def resize(picture, size):
    """Pillow's bicubic to size x size, [size, size, 3] uint8."""
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC))


def normalised(path, size, dtype=torch.float32):
    """[1, 3, size, size]"""
    pixels = torch.from_numpy(resize(decode(path), size).copy()).to(torch.float32) / 255
    return ((pixels - torch.tensor(MEAN)) / torch.tensor(STD)).permute(2, 0, 1)[None].to(dtype)
