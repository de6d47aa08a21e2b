"""What one process computes in one step: its pairs, its sentences, and the losses of a model on them."""

import random
from dataclasses import dataclass

import torch

import losses
import pairs
import sentences
from model import Clip
from vocabulary import Vocabulary


@dataclass
class Batch:
    """views [2P, 3, S, S]; share [P, G*G] and pixels [P] of the masks; rows of distinct sentences [T, longest]; `mean`
    [2P, T], which sentences make up each pair's two states; groups [P] as losses.losses has them."""

    views: torch.Tensor
    share: torch.Tensor
    pixels: torch.Tensor
    rows: torch.Tensor
    mean: torch.Tensor
    groups: torch.Tensor


class Source:
    """Batches as a function of seed, step and process."""

    def __init__(self, folder, vocabulary: Vocabulary, seed, count, processes, patch):
        self.pairs, self.vocabulary, self.seed, self.patch = pairs.Pairs(folder), vocabulary, seed, patch
        self.count, self.processes = count, processes
        self.order = pairs.Order(len(self.pairs), seed)
        self.groups = {name: n for n, name in enumerate(sorted({entry["class"] for entry in self.pairs.entries}))}

    def batch(self, step, process, size):
        """`count` pairs for the process, of the processes * count that the step takes."""
        seed = ((self.seed * 10_000_000 + step) * self.processes + process) % 2**63
        generator, chooser = torch.Generator().manual_seed(seed), random.Random(seed)
        first = (step * self.processes + process) * self.count
        pictures, masks, entries = self.pairs.read(self.order.take(first, self.count))
        views, masks = pairs.augment(pictures, masks, size, generator)
        rows, mean, groups = self._sentences(entries, chooser)
        share = pairs.cover(masks, self.patch)
        return Batch(views.flatten(0, 1), share, masks.sum(dim=(1, 2)), rows, mean, groups)

    def _sentences(self, entries, chooser):
        places, parts, groups = {}, [], []
        for entry in entries:
            name, own = sentences.called(entry["class"], entry["kind"], chooser)
            groups.append(self.groups[entry["class"]] if own else -1)
            for state in sentences.draw(name, chooser):
                parts.append([places.setdefault(text, len(places)) for text in state])
        mean = torch.zeros(len(parts), len(places))
        for row, part in zip(mean, parts):
            for place in part:
                row[place] += 1 / len(part)
        return self.vocabulary.batch(places), mean, torch.tensor(groups)


def step_losses(model: Clip, batch: Batch):
    """A tensor in the order of losses.NAMES."""
    texts = model.text(batch.rows)
    states = torch.nn.functional.normalize(batch.mean @ texts, dim=-1).view(len(batch.groups), 2, -1)
    return losses.losses(model.visual(batch.views), states, batch.share, batch.pixels, batch.groups)
