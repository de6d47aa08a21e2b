"""AdaCLIP: learned tokens in both towers, which depend on the picture, and a feature of its most abnormal patches.

Shapes: B pictures of S pixels, L = G*G patches, C vision width, W text width, D embedding width, m learned tokens in the
first J blocks, P prompts, N levels; state 0 normal, 1 abnormal. Parameters have the released code's names, without their
prefix `clip_model.`.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.cluster import KMeans

import prompt_sets
import prompts
from half import half
from loss import dice, focal_one_hot
from maps import gaussian, grid, unit, upsample

FACTOR, CLUSTER_WEIGHT = 100, 0.2
LEARNING_RATE, BETAS, DECAY = 0.01, (0.5, 0.999), 0.01
LENGTH = 24  # ids of a prompt that golden files hold
PREFIX = "clip_model."


@dataclass(frozen=True)
class Settings:
    activation: str
    image_size: int
    levels: list
    clusters: int
    seed: int  # of K-means
    sigma: float


@dataclass
class Vision:
    taps: list  # N x [B, 1+L, C], without learned tokens
    patches: list  # N x [B, L, D], unit
    raw_class: torch.Tensor  # [B, D]
    image: torch.Tensor  # [B, D], unit


@dataclass
class Clusters:
    """Of one picture: its k most abnormal patches, the most abnormal first, their clusters, the sum of squared distances."""

    places: torch.Tensor
    labels: torch.Tensor
    inertia: float


class AdaClip:
    def __init__(self, clip, settings, parameters):
        self.clip, self.settings, self.parameters = clip, settings, parameters
        names = parameters.keys()
        self.depth = sum(name.startswith("visual_prompter.") for name in names)
        self.length = len(parameters["visual_prompter.static_prompts.0"])

    def linear(self, name, x):
        return F.linear(x, self.parameters[name + ".weight"], self.parameters[name + ".bias"])

    # Learned tokens

    def frozen_class(self, images):
        """The class embedding by the plain tower, not normalised: [B, D]"""
        x = self.clip.encode_tokens(self.clip.embed_image(images, "bicubic"), self.settings.activation)
        return self.clip.image_embedding(x[:, 0])

    def dynamic(self, frozen):
        """[B, m, C] for vision and [B, m, W] for text."""
        return tuple(
            torch.stack([self.linear(f"dynamic_{tower}_prompt_generator.head.{k}", frozen) for k in range(self.length)], dim=1)
            for tower in ("visual", "text")
        )

    def tokens(self, tower, block, dynamic, copies=1):
        """The tokens before a block, in half precision: [B * copies, m, width]. They are added in float32."""
        static = self.parameters[f"{tower}_prompter.static_prompts.{block}"]
        both = dynamic.float() + static.float()
        return half(both.repeat_interleave(copies, dim=0)).to(self.clip.dtype)

    # Towers

    def vision(self, images, dynamic):
        x, rows, taps = self.clip.embed_image(images, "bicubic"), 1 + (images.shape[-1] // self.clip.arch.patch) ** 2, []
        for i in range(self.clip.arch.vision_layers):
            if i < self.depth:
                x = torch.cat([x[:, :rows], self.tokens("visual", i, dynamic)], dim=1)
            x = self.clip.vision_block(i, x, self.settings.activation)
            if i + 1 in self.settings.levels:
                taps.append(x[:, :rows])
        patches = [unit(self.linear(f"patch_token_layer.head.{n}", tap[:, 1:])) for n, tap in enumerate(taps)]
        raw = self.clip.image_embedding(x[:, 0])
        return Vision(taps, patches, raw, unit(self.linear("cls_token_layer.head.0", raw)))

    def text(self, ids, dynamic):
        """Ids of one class's prompts in each state and one picture's tokens [1, m, W] -> the hidden states of all
        prompts after each block [P, 77, W], both states' raw embeddings, T [D, 2]."""
        counts, ids = [len(rows) for rows in ids], torch.cat(ids)
        x, hidden = self.clip.embed_text(ids), []
        for i in range(self.clip.arch.text_layers):
            if 0 < i < self.depth:
                learned = self.tokens("text", i, dynamic, copies=len(ids))
                x = torch.cat([x[:, :1], learned, x[:, 1 + self.length :]], dim=1)
            x = self.clip.text_block(i, x, self.settings.activation)
            hidden.append(x)
        raw = self.clip.text_embedding(x, ids).split(counts)
        return hidden, raw, torch.stack([unit(unit(e).mean(dim=0)) for e in raw], dim=-1)

    # Logits, clusters, scores

    def logits(self, vision, text):
        """Each level's [B, L, 2]; text [B, D, 2]."""
        return [FACTOR * patches @ text for patches in vision.patches]

    def clusters(self, vision, logits):
        """K-means of the most abnormal patches of each picture, their features joined over the levels."""
        mean, out = sum(logits) / len(logits), []
        for b, difference in enumerate((mean[..., 1] - mean[..., 0]).detach()):
            k = min(len(difference), 5 * self.settings.clusters)
            places = difference.sort(descending=True, stable=True).indices[:k]
            points = torch.cat([patches[b, places] for patches in vision.patches], dim=-1)
            np.random.seed(self.settings.seed)
            count = min(self.settings.clusters, len(difference))
            found = KMeans(n_clusters=count, n_init="auto").fit(points.detach().float().double().numpy())
            out.append(Clusters(places, torch.from_numpy(found.labels_.astype(np.int64)), found.inertia_))
        return out

    def cluster_feature(self, vision, clusters):
        """[B, D], unit"""
        features = []
        for b, each in enumerate(clusters):
            levels = torch.stack([patches[b, each.places] for patches in vision.patches])  # [N, k, D]
            means = [levels[:, each.labels == label].mean(dim=(0, 1)) for label in each.labels.unique()]
            features.append(torch.stack(means).mean(dim=0))
        return unit(torch.stack(features))

    def image_probabilities(self, image, text, feature=None):
        """[B, 2], with the cluster feature if it is given."""
        if feature is not None:
            image = unit(CLUSTER_WEIGHT * feature + (1 - CLUSTER_WEIGHT) * image)
        return (FACTOR * torch.einsum("bd,bds->bs", image, text)).softmax(dim=-1)

    def both_maps(self, logits):
        """[B, 2, S, S], probabilities"""
        return upsample(grid(logits), self.settings.image_size, aligned=True).softmax(dim=1)

    def map(self, logits):
        return self.both_maps(sum(logits) / len(logits))[:, 1]


def ids_of(name):
    """Ids of both states' prompts; "-" in a class's name is read as a space."""
    return [prompts.encode(texts) for texts in prompt_sets.fill(prompt_sets.ADACLIP, name.replace("-", " "))]


def quantities(clip, inputs, parameters, settings, classes, given=None):
    """Everything in a file adaclip_N.safetensors, from its pictures, masks, labels and the learned parameters.

    `given` are dynamic tokens (vision, text) of another computation, which all that follows them starts from: a sum of
    learned tokens may else round to the other float16.
    """
    parameters = {name: tensor.clone().requires_grad_(True) for name, tensor in parameters.items()}
    model = AdaClip(clip, settings, parameters)
    images, out = inputs["in.image"].to(clip.dtype), {}
    with torch.no_grad():
        out["position"] = clip.position_embedding(settings.image_size, "bicubic")
        out["visual.embedded"] = clip.embed_image(images[:1], "bicubic")
        frozen = model.frozen_class(images)
        own = model.dynamic(frozen)
        out |= {"frozen.class": frozen, "dynamic.visual": own[0], "dynamic.text": own[1]}
        dynamic = given or own
        vision = model.vision(images, dynamic[0])
        texts, raws = [], ([], [])
        for b, name in enumerate(classes):
            ids = ids_of(name)
            hidden, raw, text = model.text(ids, dynamic[1][b : b + 1])
            texts.append(text)
            for state, e in zip(raws, raw):
                state.append(e)
            if b == 0:
                firsts = [0, len(raw[0])]  # the first normal and the first abnormal prompt
                out |= {f"text.hidden.{i + 1}": x[firsts, :LENGTH] for i, x in enumerate(hidden)}
        for i, state in enumerate(("normal", "abnormal")):
            out[f"text.ids.{state}"] = torch.stack([ids_of(name)[i][:, :LENGTH] for name in classes]).int()
            out[f"text.raw.{state}"] = torch.stack(raws[i])
        text = torch.stack(texts)
        logits = model.logits(vision, text)
        for n in range(len(settings.levels)):
            out |= {f"visual.tap.{n}": vision.taps[n], f"patch.unit.{n}": vision.patches[n], f"logits.{n}": logits[n]}
        clusters = model.clusters(vision, logits)
        feature = model.cluster_feature(vision, clusters)
        out |= {"visual.class": vision.raw_class, "class.unit": vision.image, "text.features": text}
        out |= {f"hsf.{key}": value for key, value in stacked(clusters).items()} | {"hsf.feature": feature}
        maps = model.map(logits)
        out |= {"map": maps, "map.smooth": gaussian(maps, settings.sigma)}
        out["score"] = model.image_probabilities(vision.image, text, feature)[:, 1]
        out["score.no_hsf"] = model.image_probabilities(vision.image, text)[:, 1]
    return out | training(model, images, inputs["in.mask"].to(clip.dtype), inputs["in.label"].long(), classes, frozen, given)


def stacked(clusters):
    return {
        "indices": torch.stack([each.places for each in clusters]),
        "labels": torch.stack([each.labels for each in clusters]),
        "inertia": torch.tensor([each.inertia for each in clusters], dtype=torch.float64),
    }


def training(model, images, mask, label, classes, frozen, given=None, steps=2):
    """Steps of AdamW on picture 0 alone, then picture 1, ...; `given` tokens count in the first."""
    parameters, out, rows, found = model.parameters, {}, [], []
    adam = torch.optim.AdamW(parameters.values(), lr=LEARNING_RATE, betas=BETAS, weight_decay=DECAY)
    for step in range(steps):
        one = slice(step, step + 1)
        dynamic = model.dynamic(frozen[one])
        if step == 0 and given:  # their values, with gradients to the own ones
            dynamic = tuple(own + (other[one].to(own.dtype) - own).detach() for own, other in zip(dynamic, given))
        vision = model.vision(images[one], dynamic[0])
        text = model.text(ids_of(classes[step]), dynamic[1])[2][None]
        logits = model.logits(vision, text)
        clusters = model.clusters(vision, logits)
        found += clusters
        p = model.image_probabilities(vision.image, text, model.cluster_feature(vision, clusters))
        image = focal_one_hot(p[..., None, None], label[one, None, None, None].to(p.dtype))
        levels = [level_losses(model.both_maps(each)[0], mask[step]) for each in logits]
        terms = [sum(each) for each in zip(*levels)]
        total = image + sum(terms)
        adam.zero_grad()
        total.backward()
        if step == 0:
            out |= {f"grad.{name}": p.grad.clone() for name, p in parameters.items() if p.grad is not None}
            out["losses.focal"] = torch.stack([focal for focal, _, _ in levels]).detach()
            out["losses.dice"] = torch.tensor([[a.item(), n.item()] for _, a, n in levels], dtype=mask.dtype)
        adam.step()
        rows.append([term.item() for term in (image, *terms, total)])
    out["losses"] = torch.tensor(rows, dtype=torch.float64)
    out |= {f"train.hsf.{key}": value for key, value in stacked(found).items() if key != "inertia"}
    return out | {f"after{steps}.{name}": tensor.detach() for name, tensor in parameters.items()}


def level_losses(both, mask):
    """Focal, abnormal and normal dice of one picture [2, S, S]; dice is taken by rows, as with a batch of one there."""
    return focal_one_hot(both[None], mask[None, None]), dice(both[1], mask), dice(both[0], 1 - mask)


def prediction(model, images, name):
    """The scores with and without clusters, and the maximum and mean of the map, of one picture [1, 3, S, S]."""
    dynamic = model.dynamic(model.frozen_class(images))
    vision = model.vision(images, dynamic[0])
    text = model.text(ids_of(name), dynamic[1])[2][None]
    logits = model.logits(vision, text)
    maps = gaussian(model.map(logits), model.settings.sigma)
    feature = model.cluster_feature(vision, model.clusters(vision, logits))
    return {
        "score": model.image_probabilities(vision.image, text, feature)[0, 1].item(),
        "map_max": maps.max().item(),
        "map_mean": maps.mean().item(),
        "score_no_hsf": model.image_probabilities(vision.image, text)[0, 1].item(),
    }
