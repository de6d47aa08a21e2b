"""Pairs of drawn pictures from files, altered at random and alike: a whole batch is resampled by two products of matrices.

Shapes: P pairs, S pixels of a side. Pictures are RGB; 0 is the normal one of a pair, 1 the one with the defect.
"""

import json
import pathlib

import numpy as np
import torch

MEAN = torch.tensor((0.48145466, 0.4578275, 0.40821073))
STD = torch.tensor((0.26862954, 0.26130258, 0.27577711))
LUMA = torch.tensor((0.299, 0.587, 0.114))


class Pairs:
    """The files pairs-NNN.npy, masks-NNN.npy and pairs-NNN.json of a folder, mapped into memory."""

    def __init__(self, folder):
        self.pictures, self.masks, self.entries, self.places = [], [], [], []
        for path in sorted(pathlib.Path(folder).glob("pairs-*.json")):
            entries = json.loads(path.read_text())
            pictures = np.load(path.with_suffix(".npy"), mmap_mode="r")
            masks = np.load(path.with_name(path.stem.replace("pairs", "masks") + ".npy"), mmap_mode="r")
            size = pictures.shape[2]
            if pictures.shape != (len(entries), 2, size, size, 3) or masks.shape != (len(entries), size, size):
                raise ValueError(f"{path}: {len(entries)} entries, pictures {pictures.shape}, masks {masks.shape}")
            self.places += [(len(self.pictures), row) for row in range(len(entries))]
            self.entries += entries
            self.pictures.append(pictures)
            self.masks.append(masks)
        if not self.entries:
            raise ValueError(f"{folder}: no pairs-*.json")

    def __len__(self):
        return len(self.entries)

    def read(self, chosen):
        """[P, 2, S, S, 3] and [P, S, S] uint8, and the entries."""
        places = [self.places[n] for n in chosen]
        pictures = np.stack([self.pictures[file][row] for file, row in places])
        masks = np.stack([self.masks[file][row] for file, row in places])
        return torch.from_numpy(pictures), torch.from_numpy(masks), [self.entries[n] for n in chosen]


class Order:
    """Which pairs a step takes: a new permutation of all pairs every epoch, a function of seed and step only."""

    def __init__(self, count, seed):
        self.count, self.seed, self.epoch, self.permutation = count, seed, -1, None

    def take(self, first, count):
        """The places `first` to `first + count` of the endless order."""
        return [self._at(place) for place in range(first, first + count)]

    def _at(self, place):
        epoch, within = divmod(place, self.count)
        if epoch != self.epoch:
            self.epoch, self.permutation = epoch, np.random.default_rng((self.seed, epoch)).permutation(self.count)
        return int(self.permutation[within])


def uniform(generator, low, high, *shape):
    return low + (high - low) * torch.rand(shape, generator=generator)


def chance(generator, share, *shape):
    return torch.rand(shape, generator=generator) < share


def kernel(x, cubic):
    """Weights at distance x: Pillow's bicubic where `cubic`, else the triangle."""
    x = x.abs()
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    bicubic = torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
    return torch.where(cubic, bicubic, (1 - x).clamp(min=0))


def resampling(start, length, side, size, widen, cubic, flip):
    """Matrices [P, size, side] that resample `length` pixels from `start` to `size`, with antialiasing, `widen` times as
    soft; rows are turned round where `flip`."""
    scale = (length / size)[:, None, None]
    support = scale.clamp(min=1) * widen[:, None, None]
    centre = start[:, None, None] + (torch.arange(size)[None, :, None] + 0.5) * scale
    weights = kernel((torch.arange(side) + 0.5 - centre) / support, cubic[:, None, None])
    weights = weights / weights.sum(dim=2, keepdim=True)
    return torch.where(flip[:, None, None], weights.flip(1), weights)


def augment(pictures, masks, size, generator):
    """Views of `size` pixels, alike for the two pictures of a pair but for noise.

    uint8 [P, 2, S, S, 3] and [P, S, S] -> normalised [P, 2, 3, size, size] and the marked share of each pixel
    [P, size, size].
    """
    count, side = len(pictures), pictures.shape[2]
    planes = torch.empty(count, 7, side, side)
    planes[:, :6] = pictures.permute(0, 1, 4, 2, 3).reshape(count, 6, side, side)
    planes[:, 6] = masks
    rows, columns = geometry(count, side, size, generator)
    turned = chance(generator, 0.5, count)
    planes[turned] = planes[turned].transpose(2, 3)  # with flips this gives all quarter turns
    planes = torch.matmul(torch.matmul(rows[:, None], planes), columns[:, None].transpose(2, 3)) / 255
    views = planes[:, :6].reshape(count, 2, 3, size * size)
    views = colours(views, generator).view(count, 2, 3, size, size)
    return views, planes[:, 6].clamp(0, 1)


def geometry(count, side, size, generator):
    """Matrices of the vertical and of the horizontal resampling: the whole picture, or a crop of 70 to 100 % of its sides."""
    whole = chance(generator, 0.4, count)
    area, aspect = uniform(generator, 0.75, 1, count), uniform(generator, -0.12, 0.12, count).exp()
    blurred = chance(generator, 0.15, count)
    widen = torch.where(blurred, uniform(generator, 1.2, 2.2, count), 1.0)
    cubic = chance(generator, 0.6, count) & ~blurred
    matrices = []
    for stretch in (aspect, 1 / aspect):
        length = torch.where(whole, 1.0, (area * stretch).clamp(max=1)) * side
        start = torch.rand(count, generator=generator) * (side - length)
        matrices.append(resampling(start, length, side, size, widen, cubic, chance(generator, 0.5, count)))
    return matrices


def colours(views, generator):
    """Gain, saturation, grey, inversion, contrast and brightness as one 3x3 matrix a pair; gamma; noise. [P, 2, 3, pixels]
    in [0, 1] -> the same, normalised."""
    count = len(views)
    keep = uniform(generator, 0.5, 1.3, count)
    keep = torch.where(chance(generator, 0.15, count), 0.0, keep)[:, None, None]
    matrix = keep * torch.eye(3) + (1 - keep) * LUMA
    matrix = matrix * uniform(generator, -0.15, 0.15, count, 3, 1).exp()
    contrast = uniform(generator, -0.35, 0.35, count).exp()
    contrast = torch.where(chance(generator, 0.1, count), -contrast, contrast)[:, None, None]
    middle = views.mean(dim=(1, 2, 3))[:, None, None]  # contrast changes about it, inversion mirrors at it
    brightness = middle + uniform(generator, -0.15, 0.15, count, 1, 1)
    bias = brightness - contrast * middle
    views = torch.matmul(contrast[:, None] * matrix[:, None], views).add_(bias[:, None]).clamp_(0, 1)
    bent = chance(generator, 0.4, count)
    if bent.any():
        gamma = uniform(generator, -0.5, 0.5, count).exp()[bent][:, None, None, None]
        views[bent] = views[bent].clamp(min=1e-4).pow(gamma)
    noisy = chance(generator, 0.3, count)
    if noisy.any():
        some = views[noisy]
        strength = uniform(generator, 0, 0.04, count)[noisy][:, None, None, None]
        views[noisy] = some + strength * torch.randn(some.shape, generator=generator)
    return views.sub_(MEAN[:, None]).div_(STD[:, None])


def cover(masks, patch):
    """The marked share of each patch: [P, S, S] -> [P, G*G]"""
    count, size, _ = masks.shape
    grid = size // patch
    return masks.view(count, grid, patch, grid, patch).mean(dim=(2, 4)).flatten(1)
