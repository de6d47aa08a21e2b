"""What the methods do alike with maps [B, G, G] or [B, S, S]."""

import torch
import torch.nn.functional as F
from scipy import ndimage


def unit(x, dim=-1):
    return x / x.norm(dim=dim, keepdim=True)


def grid(x):
    """[B, L, ...] -> [B, ..., G, G]"""
    side = round(x.shape[1] ** 0.5)
    return x.movedim(1, -1).unflatten(-1, (side, side))


def upsample(x, size, aligned):
    """Bilinear, [B, ..., G, G] -> [B, ..., size, size], with or without aligned corners."""
    flat = x.flatten(0, -3)[:, None]
    return F.interpolate(flat, size=(size, size), mode="bilinear", align_corners=aligned).reshape(*x.shape[:-2], size, size)


def gaussian(maps, sigma):
    """Smooths each map [B, S, S] along its rows' axis, then along the other; edges are mirrored with the edge repeated."""
    smooth = [ndimage.gaussian_filter(each.numpy(), sigma, mode="reflect", truncate=4.0) for each in maps]
    return torch.stack([torch.from_numpy(each) for each in smooth])
