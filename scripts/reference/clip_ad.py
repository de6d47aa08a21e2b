"""CLIP-AD: a representative text of each state, two paths through the vision tower, and SDP+'s linear layers.

Shapes: B pictures of S pixels, L = G*G patches, C vision width, E embedding width, P prompts, K taps; state 0 normal, 1 abnormal.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.cluster import DBSCAN

import pictures
import prompt_sets
import prompts
from loss import dice, focal_one_hot
from maps import gaussian, grid, unit, upsample

LEARNING_RATE = 1e-4


@dataclass(frozen=True)
class Cluster:
    """DBSCAN's radius and least number of neighbours."""

    radius: float
    count: int

    def labels(self, e):
        """The cluster of each embedding [P, E], -1 for noise: [P]"""
        found = DBSCAN(eps=self.radius, min_samples=self.count, algorithm="brute").fit(e.float().double().numpy())
        return torch.from_numpy(found.labels_.astype(np.int64))

    def representative(self, e):
        """The mean of the largest cluster, the first of equals, or of all where there is none: [E]"""
        labels = self.labels(e)
        sizes = torch.bincount(labels[labels >= 0])
        return mean(e[labels == sizes.argmax()] if len(sizes) else e)

    def gap(self, e):
        """How far the distance nearest to the radius is off it."""
        distances = torch.pdist(e.float().double())
        return (distances - self.radius).abs().min().item()


def mean(e):
    return unit(e.mean(dim=0))


@dataclass
class Tap:
    original: torch.Tensor  # [B, 1+L, C]
    surgery: torch.Tensor  # [B, 1+L, E], not normalised


class ClipAd:
    def __init__(self, clip, activation, levels, cluster, sigma):
        self.clip, self.activation, self.levels, self.cluster, self.sigma = clip, activation, levels, cluster, sigma

    def embeddings(self, name):
        """The unit embeddings of both states' prompts: two [P, E]."""
        states = prompt_sets.fill(prompt_sets.CLIP_AD, name)
        return [unit(self.clip.encode_text(prompts.encode(texts), self.activation)) for texts in states]

    def text(self, name):
        """[E, 2]"""
        return torch.stack([self.cluster.representative(e) for e in self.embeddings(name)], dim=-1)

    def taps(self, images):
        """The original and the value-value path at each level, a multiple of a quarter of the depth."""
        depth = self.clip.arch.vision_layers
        stage, x, path, out = depth // 4, self.clip.embed_image(images), None, {}
        for b in range(depth + 1):
            if b == depth:
                original = x
            else:
                following, original, values = self.clip.vision_parts(b, x, self.activation)
            if b in self.levels:  # before the last block's end the original holds the next block's attention already
                tokens = torch.cat([original[:, :1], path[:, 1:]], dim=1)
                out[b] = Tap(original, self.clip.image_embedding(tokens))
            if b < depth:
                path = values if b % stage == 0 else path + values
                x = following
        return [out[level] for level in self.levels]

    def sdp(self, taps, text):
        """Both weighted similarities, summed over the taps [B, 1+L, 2], and the abnormal probability [B]; text [B, E, 2]."""
        total = 0
        for tap in taps:
            s = unit(tap.surgery) @ text
            weights = 2 * s[:, :1].softmax(dim=-1)
            weighted = weights * s
            total = total + weighted - weighted.mean(dim=-1, keepdim=True)
        return total, (100 * s[:, 0]).softmax(dim=-1)[:, 1]

    def raw_map(self, similarity, size):
        """SDP's map before its Gaussian: [B, S, S]"""
        return upsample(grid(similarity[:, 1:, 1]), size, aligned=False)

    def smooth(self, maps):
        return gaussian(maps, self.sigma)


def level_logits(linear, i, original, text):
    """A level's linear layer on its tap's patches: [B, L, 2]"""
    features = unit(F.linear(original[:, 1:], linear[f"fc.{i}.weight"], linear[f"fc.{i}.bias"]))
    return 100 * features @ text


def level_map(logits, size):
    """[B, 2, S, S], probabilities"""
    return upsample(grid(logits), size, aligned=True).softmax(dim=1)


def level_losses(logits, mask):
    """Focal and dice loss, mask [B, S, S] of 0 and 1."""
    both = level_map(logits, mask.shape[-1])
    return focal_one_hot(both, mask[:, None]), dice(both[:, 1], mask)


def dataset_scores(probabilities, maxima, class_of):
    """The sum of both parts, each scaled to [0, 1] over the pictures of a class: [B]

    The parts are float32 numbers first: their ranges can be small.
    """
    scores = torch.zeros_like(probabilities, dtype=torch.float64)
    for part in (probabilities.float().double(), maxima.float().double()):
        for c in class_of.unique():
            values = part[class_of == c]
            span = values.max() - values.min()
            scores[class_of == c] += (values - values.min()) / span if span > 0 else 0
    return scores


def quantities(clip, inputs, linear, settings):
    """Everything in a file clip_ad_N.safetensors but `text.half.*`, from its inputs and the linear layers."""
    images, class_of = pictures.normalise(inputs["in.resized"], clip.dtype), inputs["in.class"].long()
    size = images.shape[-1]
    out = {"pos_embed.resized": clip.position_embedding(size)}
    texts = {}
    for variant in ("sdp", "plus"):
        model = ClipAd(clip, settings.activation, settings.taps, settings.cluster[variant], settings.sigma[variant])
        texts[variant] = torch.stack([model.text(name) for name in settings.classes])[class_of]
        if variant == "sdp":
            out |= text_quantities(model, settings)
            taps = model.taps(images)
        similarity, probability = model.sdp(taps, texts[variant])
        maps = model.raw_map(similarity, size)
        if variant == "sdp":
            for level, tap in zip(settings.taps, taps):
                out |= {f"tap.{level}.original": tap.original, f"tap.{level}.surgery": tap.surgery}
            out |= {"sdp.similarity": similarity, "sdp.map.raw": maps}
        else:
            for i, (level, tap) in enumerate(zip(settings.taps, taps)):
                logits = level_logits(linear, i, tap.original, texts[variant])
                out[f"plus.level.{level}.logits"] = logits
                maps = maps + level_map(logits, size)[:, 1]
        maps = model.smooth(maps)
        maxima = maps.amax(dim=(1, 2))
        out |= {f"{variant}.map": maps, f"{variant}.map_max": maxima, f"{variant}.probability": probability}
        out[f"{variant}.score.dataset"] = dataset_scores(probability, maxima, class_of)
    return out | training(linear, [tap.original for tap in taps], texts["plus"], inputs["in.target"].to(clip.dtype))


def text_quantities(model, settings):
    """Each class's embeddings, and the representatives by the mean and by each radius and count."""
    out = {}
    for c, name in enumerate(settings.classes):
        states = dict(zip(("normal", "abnormal"), model.embeddings(name)))
        out[f"text.mean.{c}"] = torch.stack([mean(e) for e in states.values()], dim=-1)
        out |= {f"text.embeddings.{c}.{state}": e for state, e in states.items()}
        for radius, count in settings.selections:
            key, each = f"text.dbscan_{radius}_{count}.{c}", Cluster(radius, count)
            out[key] = torch.stack([each.representative(e) for e in states.values()], dim=-1)
            out |= {f"{key}.labels.{state}": each.labels(e) for state, e in states.items()}
    return out


def training(linear, originals, text, target):
    """Two steps of Adam: the first half of the pictures, then the rest."""
    linear = {name: tensor.clone().requires_grad_(True) for name, tensor in linear.items()}
    adam = torch.optim.Adam(linear.values(), lr=LEARNING_RATE)
    half, out, rows = len(target) // 2, {}, []
    with torch.enable_grad():
        for step, batch in enumerate((slice(0, half), slice(half, len(target)))):
            terms = [
                level_losses(level_logits(linear, i, original[batch], text[batch]), target[batch])
                for i, original in enumerate(originals)
            ]
            total = sum(focal + dice_ for focal, dice_ in terms)
            adam.zero_grad()
            total.backward()
            out |= {f"train.grad{step + 1}.{name}": tensor.grad.clone() for name, tensor in linear.items()}
            adam.step()
            rows.append(([[term.item() for term in pair] for pair in terms], total.item()))
    out["train.losses"] = torch.tensor([row for row, _ in rows], dtype=torch.float64)
    out["train.total"] = torch.tensor([total for _, total in rows], dtype=torch.float64)
    return out | {f"train.after2.{name}": tensor.detach() for name, tensor in linear.items()}


@dataclass(frozen=True)
class Settings:
    """What a golden file's metadata say; `cluster` and `sigma` are those of the variants "sdp" and "plus"."""

    activation: str
    taps: list
    classes: list
    cluster: dict
    sigma: dict
    selections: list  # radius and count


def prediction(clip, images, linear, settings, name):
    """Both variants' probability, and the maximum and mean of the map, of one picture [1, 3, S, S]."""
    out, size, taps = {}, images.shape[-1], None
    for variant, key in (("sdp", "sdp"), ("sdp_plus", "plus")):
        model = ClipAd(clip, settings.activation, settings.taps, settings.cluster[key], settings.sigma[key])
        text = model.text(name)[None]
        taps = taps or model.taps(images)
        similarity, probability = model.sdp(taps, text)
        maps = model.raw_map(similarity, size)
        if variant == "sdp_plus":
            levels = [level_logits(linear, i, tap.original, text) for i, tap in enumerate(taps)]
            maps = maps + sum(level_map(logits, size)[:, 1] for logits in levels)
        maps = model.smooth(maps)
        values = {"probability": probability, "map_max": maps.max(), "map_mean": maps.mean()}
        out[variant] = {key: value.item() for key, value in values.items()}
    return out
