"""AnomalyCLIP: two learned prompts that name no class, and a path of value-value attention in the vision tower.

Shapes: B pictures of S pixels, L = G*G patches, C vision width, W text width, D embedding width, E learned words, N levels;
state 0 normal, 1 abnormal. Parameters have the released code's names.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from half import half
from loss import dice, focal_one_hot
from maps import gaussian, grid, unit, upsample
from towers import END_OF_TEXT, START_OF_TEXT

TEMPERATURE = 0.07
LEARNING_RATE, BETAS, LAMBDA = 1e-3, (0.5, 0.999), 4
WORD, DAMAGED, OBJECT, STOP = 343, 13568, 14115, 269  # "x", "damaged", "object", "."
CONTEXT = 77
STATES = {"pos": (OBJECT, STOP), "neg": (DAMAGED, OBJECT, STOP)}  # the words after the learned ones
PROJECTION = 896  # rows of a layer that the files hold and nobody uses


@dataclass(frozen=True)
class Settings:
    """`vv_from` is the first block, from 1, with the second path."""

    activation: str
    image_size: int
    levels: list
    vv_from: int
    sigma: float


def prompt_ids(words):
    """The ids of the normal and of the abnormal prompt: [2, 77]"""
    rows = torch.zeros(2, CONTEXT, dtype=torch.int32)
    for row, ending in zip(rows, STATES.values()):
        ids = [START_OF_TEXT, *[WORD] * words, *ending, END_OF_TEXT]
        row[: len(ids)] = torch.tensor(ids, dtype=torch.int32)
    return rows


def copied_embeddings(clip, words):
    """What a released file holds beside the parameters: the ids, and CLIP's embeddings of those that are no learned words."""
    out = {}
    for state, ids in zip(STATES, prompt_ids(words)):
        rows = clip.weights["token_embedding.weight"][ids.long()].float()[None, None]
        out |= {
            f"token_prefix_{state}": rows[:, :, :1],
            f"token_suffix_{state}": rows[:, :, 1 + words :],
            f"tokenized_prompts_{state}": ids[None, None],
        }
    return out


class AnomalyClip:
    def __init__(self, clip, settings, parameters):
        self.clip, self.settings, self.parameters = clip, settings, parameters

    def text(self):
        """After each block, rows 0 to E+4 of both prompts [2, E+5, W]; and both embeddings, not normalised [2, D]."""
        deep = sorted((n for n in self.parameters if n.startswith("compound_prompts_text.")), key=lambda n: int(n.split(".")[1]))
        learned = torch.cat([self.parameters["ctx_pos"][0], self.parameters["ctx_neg"][0]])
        words = learned.shape[1]
        ids = prompt_ids(words)[:, : words + 5].long()
        x = self.clip.weights["token_embedding.weight"][ids]
        x = torch.cat([x[:, :1], learned, x[:, 1 + words :]], dim=1)
        x, hidden = x + self.clip.weights["positional_embedding"][: words + 5], []
        for i in range(self.clip.arch.text_layers):
            if 0 < i <= len(deep):
                tokens = self.parameters[deep[i - 1]]
                x = torch.cat([x[:, :1], half(tokens.expand(2, -1, -1)), x[:, 1 + len(tokens) :]], dim=1)
            x = self.clip.text_block(i, x, self.settings.activation)
            hidden.append(x)
        return hidden, self.clip.text_embedding(x, ids)

    def vision(self, images):
        """Both paths after every block, two lists of [B, 1+L, C]; before the second begins it equals the first."""
        x = self.clip.embed_image(images, "bilinear")
        original, path, p = [], [], x
        for i in range(self.clip.arch.vision_layers):
            x, _, values = self.clip.vision_parts(i, x, self.settings.activation)
            p = p + values if i + 1 >= self.settings.vv_from else x
            original.append(x)
            path.append(p)
        return original, path

    def raw_patches(self, path, level):
        """[B, 1+L, D]"""
        return self.clip.image_embedding(path[level - 1])

    def raw_image(self, original):
        """[B, D], without ln_post"""
        return original[-1][:, 0] @ self.clip.weights["visual.proj"]

    def similarity(self, raw, text):
        """Probabilities on the patches [B, L, 2] of a level's raw features; text [2, D], unit."""
        return (unit(raw)[:, 1:] @ text.T / TEMPERATURE).softmax(dim=-1)

    def both_maps(self, similarity):
        """[B, 2, S, S]"""
        return upsample(grid(similarity), self.settings.image_size, aligned=False)

    def image_logits(self, raw, text):
        return unit(raw) @ text.T / TEMPERATURE


def abnormal_map(both):
    return (both[:, 1] + 1 - both[:, 0]) / 2


def losses(model, raw_patches, raw_image, mask, label):
    """The classification loss, and by level focal, abnormal and normal dice; mask [B, S, S] of 0 and 1."""
    text = unit(model.text()[1])
    classification = F.cross_entropy(model.image_logits(raw_image, text), label)
    levels = []
    for raw in raw_patches:
        both = model.both_maps(model.similarity(raw, text))
        levels.append((focal_one_hot(both, mask[:, None]), dice(both[:, 1], mask), dice(both[:, 0], 1 - mask)))
    return classification, levels


def quantities(clip, inputs, parameters, settings):
    """Everything in a file anomalyclip_N.safetensors, from its pictures, masks, labels and the learned parameters."""
    parameters = {name: tensor.clone().requires_grad_(True) for name, tensor in parameters.items()}
    model = AnomalyClip(clip, settings, parameters)
    images, out = inputs["in.image"].to(clip.dtype), {}
    with torch.no_grad():
        out["position"] = clip.position_embedding(settings.image_size, "bilinear")
        hidden, raw_text = model.text()
        text = unit(raw_text)
        out |= {f"text.hidden.{i + 1}": x for i, x in enumerate(hidden)}
        out |= {"text.raw": raw_text, "text.features": text}
        original, path = model.vision(images)
        raw_image = model.raw_image(original)
        raw_patches = [model.raw_patches(path, level) for level in settings.levels]
        out |= {"visual.vv.first": path[settings.vv_from - 1], "visual.plain.last": original[-1], "image.raw": raw_image}
        total = 0
        for n, (level, raw) in enumerate(zip(settings.levels, raw_patches)):
            similarity = model.similarity(raw, text)
            level_map = abnormal_map(model.both_maps(similarity))
            total = total + level_map
            out |= {f"visual.tap.{n}": path[level - 1], f"patch.raw.{n}": raw}
            out |= {f"similarity.{n}": similarity, f"map.level.{n}": level_map}
        out |= {"map.sum": total, "map.smooth": gaussian(total, settings.sigma)}
        out["score"] = model.image_logits(raw_image, text).softmax(dim=-1)[:, 1]
    return out | training(model, raw_patches, raw_image, inputs["in.mask"].to(clip.dtype), inputs["in.label"].long())


def training(model, raw_patches, raw_image, mask, label, steps=2):
    """Steps of Adam, each on all pictures."""
    parameters, out, rows = model.parameters, {}, []
    adam = torch.optim.Adam(parameters.values(), lr=LEARNING_RATE, betas=BETAS)
    for step in range(steps):
        classification, levels = losses(model, raw_patches, raw_image, mask, label)
        terms = [sum(each) for each in zip(*levels)]  # over the levels
        total = classification + LAMBDA * sum(terms)
        adam.zero_grad()
        total.backward()
        if step == 0:
            out |= {f"grad.{name}": tensor.grad.clone() for name, tensor in parameters.items()}
            out["losses.focal"] = torch.stack([focal for focal, _, _ in levels]).detach()
            out["losses.dice"] = torch.tensor([[a.item(), n.item()] for _, a, n in levels], dtype=mask.dtype)
        adam.step()
        rows.append([term.item() for term in (classification, *terms, total)])
    out["losses"] = torch.tensor(rows, dtype=torch.float64)
    return out | {f"after{steps}.{name}": tensor.detach() for name, tensor in parameters.items()}


def prediction(model, images):
    """The score, and the maximum and mean of the map, of one picture [1, 3, S, S]."""
    text = unit(model.text()[1])
    original, path = model.vision(images)
    levels = [model.similarity(model.raw_patches(path, level), text) for level in model.settings.levels]
    maps = gaussian(sum(abnormal_map(model.both_maps(p)) for p in levels), model.settings.sigma) / len(levels)
    score = model.image_logits(model.raw_image(original), text).softmax(dim=-1)[:, 1]
    return {"score": score.item(), "map_max": maps.max().item(), "map_mean": maps.mean().item()}
