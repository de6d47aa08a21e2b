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


def resize_mask(mask, size):
    """A grey mask's bilinear resize, which is set from 128 on: [h, w] uint8 -> [size, size] of 0 and 1."""
    scaled = np.asarray(Image.fromarray(mask).resize((size, size), Image.Resampling.BILINEAR))
    return (scaled >= 128).astype(np.uint8)


def normalise(pixels, dtype=torch.float32):
    """[B, size, size, 3] uint8 -> [B, 3, size, size]"""
    scaled = pixels.to(torch.float32) / 255
    return ((scaled - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2).to(dtype)


def normalised(path, size, dtype=torch.float32):
    """[1, 3, size, size]"""
    return normalise(torch.from_numpy(resize(decode(path), size).copy())[None], dtype)
