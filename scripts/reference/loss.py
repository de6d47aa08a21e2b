"""Loss terms (Eq. 7, 8) in both presets' forms. Maps are probabilities [B, 2, H, W], masks 0/1 [B, 1, H, W]."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass
class Losses:
    classification: torch.Tensor
    focal: torch.Tensor
    dice: tuple  # one term, or the normal map's and the abnormal map's
    total: torch.Tensor


def losses(options, probabilities, class_logits, mask, label):
    classification = F.cross_entropy(class_logits, label)
    if options.focal == "binary":
        focal = focal_binary(probabilities[:, 1], mask[:, 0])
    else:
        focal = focal_one_hot(probabilities, mask)
    terms = (dice(probabilities[:, 1], mask[:, 0]),)
    if options.dice == "both":
        terms = (dice(probabilities[:, 0], 1 - mask[:, 0]), *terms)
    total = (
        options.lambda_classification * classification + options.lambda_focal * focal + options.lambda_dice * sum(terms)
    )
    return Losses(classification, focal, terms, total)


def dice(probability, target):
    """1 - mean over the pictures of the smoothed overlap; both arguments are [B, H, W]."""
    p, y = probability.flatten(1), target.flatten(1)
    return 1 - ((2 * (p * y).sum(dim=1) + 1) / (p.sum(dim=1) + y.sum(dim=1) + 1)).mean()


def focal_binary(abnormal, mask):
    pt = torch.where(mask > 0, abnormal, 1 - abnormal)
    return (-((1 - pt) ** 2) * torch.log(pt.clamp(min=1e-5))).mean()


def focal_one_hot(probabilities, mask):
    smooth = 1e-5
    one_hot = torch.cat([1 - mask, mask], dim=1).clamp(smooth, 1 - smooth)
    pt = (one_hot * probabilities).sum(dim=1) + smooth
    return (-((1 - pt) ** 2) * torch.log(pt)).mean()
