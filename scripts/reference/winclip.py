"""WinCLIP without references: scores from windows of patches and prompts, nothing is trained.

Shapes: B pictures of S pixels, G*G patches, C vision width, E embedding width, windows of k patches a side, W = (G-k+1)^2;
state 0 normal, 1 abnormal.
"""

from dataclasses import dataclass

import torch

import pictures
import prompt_sets
import prompts
from maps import grid, unit, upsample


@dataclass(frozen=True)
class Preset:
    """One of two public implementations."""

    prompts: str
    temperature: float
    mean: str  # of the windows' scores at a patch: the harmonic mean of "abnormal" or "normal" probabilities
    image_scale: bool  # the whole picture's score is one more scale
    score: str  # the image score: "class" probability, or "map_max"


PRESETS = {
    "anomalib": Preset("anomalib", 0.07, "abnormal", True, "class"),
    "caoyunkang": Preset("caoyunkang", 0.01, "normal", False, "map_max"),
}


def windows(side, k):
    """The patches of each window: [W, k*k], numbered row by row."""
    patches = torch.arange(side * side).reshape(side, side)
    return patches.unfold(0, k, 1).unfold(1, k, 1).reshape(-1, k * k)


class WinClip:
    def __init__(self, clip, activation, preset, sides):
        self.clip, self.activation, self.preset, self.sides = clip, activation, PRESETS[preset], sides

    def text(self, name):
        """The mean of each state's embeddings, none of them normalised: [2, E]."""
        states = prompt_sets.fill(prompt_sets.WINCLIP[self.preset.prompts], name)
        return torch.stack([self.clip.encode_text(prompts.encode(texts), self.activation).mean(dim=0) for texts in states])

    def embed(self, tokens):
        """Any tokens [N, 1+n, C] of a picture, before ln_pre, the class token first -> [N, E]."""
        x = self.clip.encode_tokens(self.clip.norm("visual.ln_pre", tokens), self.activation)
        return self.clip.image_embedding(x[:, 0])

    def window_features(self, tokens, k):
        """Each window's patches pass the tower with the class token and no others: [B, W, E]."""
        of = windows(round((tokens.shape[1] - 1) ** 0.5), k)
        chosen = torch.cat([torch.zeros(len(of), 1, dtype=torch.long), 1 + of], dim=1)  # [W, 1+k*k]
        batch = tokens[:, chosen].flatten(0, 1)
        return self.embed(batch).unflatten(0, (len(tokens), len(of)))

    def probabilities(self, features, text):
        """[B, ..., E] and each picture's text [B, 2, E] -> [B, ..., 2]."""
        cosines = torch.einsum("b...e,bse->b...s", unit(features), unit(text))
        return (cosines / self.preset.temperature).softmax(dim=-1)

    def mean_reciprocal(self, p, k, side):
        """The mean of 1/p over the windows that hold a patch, [B, W] -> [B, L]."""
        of = windows(side, k).flatten()
        counts = torch.bincount(of, minlength=side * side)
        return p.new_zeros(len(p), side * side).index_add(1, of, (1 / p).repeat_interleave(k * k, dim=1)) / counts

    def grid(self, image, scales, side):
        """M [B, L] from the probabilities of the pictures [B, 2] and of each scale's windows [B, W, 2]."""
        state = 1 if self.preset.mean == "abnormal" else 0
        means = [self.mean_reciprocal(p[..., state], k, side) for k, p in zip(self.sides, scales)]
        if self.preset.image_scale:
            means.append((1 / image[:, state])[:, None].expand_as(means[0]))
        harmonic = 1 / torch.stack(means).mean(dim=0)
        return harmonic if state else 1 - harmonic

    def map(self, patches, size):
        """[B, L] -> [B, size, size]; with the mean over normal probabilities it is halved."""
        maps = upsample(grid(patches), size, aligned=False)
        return maps if self.preset.mean == "abnormal" else maps / 2

    def score(self, image, maps):
        return image[:, 1] if self.preset.score == "class" else maps.amax(dim=(1, 2))


def quantities(clip, inputs, activation, sides, classes):
    """Everything in a file winclip_N.safetensors, from its `in.resized` [B, S, S, 3] and `in.class` [B]."""
    images, class_of = pictures.normalise(inputs["in.resized"], clip.dtype), inputs["in.class"].long()
    size, side = images.shape[-1], images.shape[-1] // clip.arch.patch
    tokens = clip.image_tokens(images)
    out = {"pos_embed.resized": clip.position_embedding(size), "features.embed": tokens}
    features = {}
    for name, preset, own in (
        ("anomalib", "anomalib", sides),
        ("winclip", "caoyunkang", sides),
        ("winclip_full", "caoyunkang", [*sides, side]),
    ):
        model = WinClip(clip, activation, preset, own)
        texts = torch.stack([model.text(each) for each in classes])
        text = texts[class_of]
        image = model.embed(tokens)
        scales = []
        for k in own:
            if k not in features:
                features[k] = model.window_features(tokens, k)
            scales.append(model.probabilities(features[k], text))
        p = model.probabilities(image, text)
        patches = model.grid(p, scales, side)
        maps = model.map(patches, size)
        out |= {f"{name}.grid": grid(patches), f"{name}.map": maps, f"{name}.score": model.score(p, maps)}
        if name == "anomalib":
            out["image.features"] = image
            for k, scale in zip(own, scales):
                out[f"mask.{k}"] = windows(side, k)
                out[f"window.{k}.features"] = features[k]
                out[f"anomalib.window.{k}.score"] = scale[..., 1]
                out[f"anomalib.scale.{k}.map"] = grid(1 / model.mean_reciprocal(scale[..., 1], k, side))
        if name == "winclip":
            out |= {f"winclip.window.{k}.normality": scale[..., 0] for k, scale in zip(own, scales)}
        if name != "winclip_full":
            each = unit(texts) if name == "winclip" else texts
            out |= {f"{name}.text.{i}": text for i, text in enumerate(each)}
    return out


def prediction(clip, images, activation, sides, name):
    """Both presets' score, and the maximum and mean of the map, of one picture [1, 3, S, S]."""
    out, side = {}, images.shape[-1] // clip.arch.patch
    tokens = clip.image_tokens(images)
    for preset in PRESETS:
        model = WinClip(clip, activation, preset, sides)
        text = model.text(name)[None]
        p = model.probabilities(model.embed(tokens), text)
        scales = [model.probabilities(model.window_features(tokens, k), text) for k in sides]
        maps = model.map(model.grid(p, scales, side), images.shape[-1])
        values = {"score": model.score(p, maps), "map_max": maps.max(), "map_mean": maps.mean()}
        out[preset] = {key: value.item() for key, value in values.items()}
    return out
