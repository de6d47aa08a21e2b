"""Computes the content of each golden file: a dict of tensors with the file's names.

`make_golden.py` saves them, `check.py` compares them with the saved values.
"""

from dataclasses import replace

import torch

import names
import prompts
from loss import dice, focal_binary, focal_one_hot
from model import AcdClip
from options import PAPER, RELEASED
from recipe import Trainer


def clip_quantities(clip, image, ids):
    """Plain CLIP with both activations."""
    hidden, embedding = clip.encode_image(image, "gelu")
    quick_hidden, quick_embedding = clip.encode_image(image, "quick_gelu")
    return {
        "gelu.visual.hidden.last": hidden,
        "gelu.visual.cls": embedding,
        "gelu.text_embeds": clip.encode_text(ids, "gelu"),
        "quickgelu.visual.hidden.last": quick_hidden,
        "quickgelu.image_embeds": quick_embedding,
        "quickgelu.text_embeds": clip.encode_text(ids, "quick_gelu"),
    }


def released_model(clip, checkpoint, groups, image_size):
    """The released preset with a released checkpoint's parameters, and the released name of each."""
    parameters, released = names.from_checkpoint(checkpoint, clip.weights["visual.proj"].dtype)
    return AcdClip(clip, replace(RELEASED, groups=groups, image_size=image_size), parameters), released


def released_quantities(model, released, inputs, prompt_name, steps=3):
    """Forward results, losses of each step, first gradients, parameters after all steps. Changes the model's parameters."""
    images, size = inputs["in.image"], inputs["in.image"].shape[-1]
    ids = prompts.class_ids(prompt_name)
    out = {}
    with torch.no_grad():
        vision, text = model.vision(images), model.text(*ids)
        fused = model.fuse(vision, text)
        for i in range(model.options.groups):
            out[f"visual.adapter.{i}"] = vision.adapter[i]
            out[f"visual.group.{i}"] = vision.group[i]
            if fused.gate_logits:
                out[f"dfg.gate.{i}.logits"] = fused.gate_logits[i]
        out["pos_embed.resized"] = model.clip.position_embedding(size)
        out["seg.tokens"], out["det.tokens"] = vision.segmentation, vision.detection
        out["text.features"], out["cls.logits"] = text, fused.class_logits
        out["map.train"] = model.map(fused, size)
        for domain in ("industrial", "medical"):
            abnormal = model.map(fused, size, smooth=domain)[:, 1]
            out[f"map.test.{domain}"] = abnormal
            out[f"score.{domain}"] = model.score(fused, abnormal, domain)
    trainer, rows = Trainer(model), []
    for step in range(steps):
        terms = trainer.gradient(images, ids, inputs["in.mask"], inputs["in.label"])
        rows.append([terms.classification, terms.focal, *terms.dice, terms.total])
        if step == 0:
            out |= {f"grad.{released[name]}": p.grad.clone() for name, p in model.parameters.items()}
        trainer.step()
        if step == 1:
            trainer.end_epoch()
    out["losses"] = torch.tensor([[term.item() for term in row] for row in rows], dtype=torch.float64)
    return out | {f"after3.{released[name]}": p.detach() for name, p in model.parameters.items()}


def paper_model(clip, metadata, tensors):
    """The paper preset, or an ablation of it, as defined by a paper file's metadata and parameters."""
    focal, dice_, classification = (float(x) for x in metadata["lambda_focal_dice_cls"].strip("()").split(","))
    options = replace(
        PAPER,
        groups=int(metadata["n_groups"]),
        image_size=tensors["in.image"].shape[-1],
        kind=metadata["adapter"],
        fusion=metadata["fusion"],
        tau=float(metadata["tau"]),
        lambda_focal=focal,
        lambda_dice=dice_,
        lambda_classification=classification,
    )
    prefix, dtype = "param.", clip.weights["visual.proj"].dtype
    parameters = {
        name.removeprefix(prefix): tensor.to(dtype, copy=True)
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    return AcdClip(clip, options, parameters)


def paper_quantities(model, inputs):
    images, size = inputs["in.image"], inputs["in.image"].shape[-1]
    ids = inputs["in.ids.normal"].long(), inputs["in.ids.abnormal"].long()
    with torch.no_grad():
        vision, text = model.vision(images), model.text(*ids)
        fused = model.fuse(vision, text)
        abnormal = model.map(fused, size)[:, 1]
        out = {f"out.visual.{i}": tokens for i, tokens in enumerate(vision.group)}
        out |= {
            "out.text_features": text,
            "out.gate_weights": torch.stack(fused.gate_weights) if fused.gate_weights else torch.zeros(0),
            "out.maps": model.level_maps(fused)[:, :, 1:],
            "out.map": abnormal,
            "out.cls_logits": fused.class_logits,
            "out.score": model.score(fused, abnormal, "industrial"),
        }
    terms = Trainer(model).gradient(images, ids, inputs["in.mask"], inputs["in.label"])
    row = [terms.focal, *terms.dice, terms.classification, terms.total]
    out["losses"] = torch.tensor([term.item() for term in row], dtype=torch.float64)
    return out | {f"grad.{name}": p.grad for name, p in model.parameters.items()}


def loss_quantities(tensors):
    """Every loss term and its gradient, and gradient clipping of one vector."""
    abnormal, mask = tensors["in.abnormal"], tensors["in.mask"]
    both = torch.stack([1 - abnormal, abnormal], dim=1)
    terms = {
        "paper.dice": (lambda a: dice(a, mask[:, 0]), abnormal),
        "paper.focal": (lambda a: focal_binary(a, mask[:, 0]), abnormal),
        "released.dice.normal": (lambda p: dice(p[:, 0], 1 - mask[:, 0]), both),
        "released.dice.abnormal": (lambda p: dice(p[:, 1], mask[:, 0]), both),
        "released.focal": (lambda p: focal_one_hot(p, mask), both),
    }
    out = {}
    for name, (term, probabilities) in terms.items():
        leaf = probabilities.detach().clone().requires_grad_(True)
        value = term(leaf)
        value.backward()
        out[name], out[name + ".grad"] = value.detach(), leaf.grad
    for name, before in tensors.items():
        if name.startswith("clip.") and name.endswith(".before"):
            vector = torch.zeros_like(before, requires_grad=True)
            vector.grad = before.clone()
            torch.nn.utils.clip_grad_norm_(vector, 1.0)
            out[name.replace("before", "after")] = vector.grad
    return out


def prediction(model, image, text):
    """The values of one picture [1, 3, S, S] in predict/expected.json."""
    with torch.no_grad():
        fused = model.fuse(model.vision(image), text)
        maps = {domain: model.map(fused, image.shape[-1], smooth=domain)[:, 1] for domain in ("industrial", "medical")}
        return {
            "score": model.score(fused, maps["industrial"], "industrial").item(),
            "score_medical": model.score(fused, maps["medical"], "medical").item(),
            "class_probability": model.class_probability(fused).item(),
            "map_max": maps["industrial"].max().item(),
            "map_mean": maps["industrial"].mean().item(),
        }
