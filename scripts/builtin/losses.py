"""The losses of a step: state of every patch and of the picture, class and state against sentences, states apart.

Shapes: P pairs, pictures in the order normal, abnormal of each pair: B = 2P; L = 1 + G*G tokens; E embedding width.
"""

import torch
import torch.nn.functional as F

from model import state_logits

STEEP = 6  # a patch of which a sixth is marked counts as anomalous
MARKED = 4  # fewer marked pixels decide nothing about the whole picture
TEMPERATURE = 0.07
APART = 0.3  # the wanted cosine of the two states' embeddings is at most its negative
NAMES = "total", "patch", "dice", "class", "contrast", "apart", "cosine"


def losses(tokens, states, share, pixels, groups):
    """tokens [B, L, E] and states [P, 2, E], unit; share [P, G*G] of each patch that is marked; `pixels` marked in each
    mask [P]; groups [P], a number for each class, negative where the pair is not called by its class.

    A tensor of the total and its parts, in the order of NAMES.
    """
    target = torch.stack([torch.zeros_like(share), (STEEP * share).clamp(max=1)], dim=1).flatten(0, 1)
    abnormal = torch.stack([torch.zeros_like(pixels), (pixels > 0).float()], dim=1).flatten()
    decided = torch.stack([torch.ones_like(pixels), (pixels >= MARKED).float()], dim=1).flatten()
    logits = state_logits(tokens, states.repeat_interleave(2, dim=0))
    whole, patches = logits[:, 0], logits[:, 1:]
    patch = F.binary_cross_entropy_with_logits(patches, target, weight=1 + 3 * target)
    dice = soft_dice(patches.sigmoid()[1::2], target[1::2], decided[1::2])
    of_class = (F.binary_cross_entropy_with_logits(whole, abnormal, reduction="none") * decided).sum() / decided.sum()
    contrast = contrastive(tokens[:, 0], states, groups, decided)
    cosine = (states[:, 0] * states[:, 1]).sum(dim=-1)
    apart = F.relu(cosine + APART).mean()
    total = patch + 0.5 * dice + of_class + 0.3 * contrast + 0.5 * apart
    return torch.stack([total, patch, dice, of_class, contrast, apart, cosine.mean()])


def soft_dice(probability, target, decided):
    """The mean over pictures that show their defect."""
    overlap, both = (probability * target).sum(dim=1), (probability + target).sum(dim=1)
    return ((1 - (2 * overlap + 1) / (both + 1)) * decided).sum() / decided.sum().clamp(min=1)


def contrastive(pictures, states, groups, decided):
    """Symmetric InfoNCE of class tokens [B, E] and the embeddings of their class in their state. Pictures of one class
    and state match all of each other's sentences. Pairs that are not called by their class are left out."""
    kinds = (2 * groups[:, None] + torch.arange(2)).flatten()
    used = (kinds >= 0) & (decided > 0)
    kinds = kinds[used]
    if len(kinds) < 2:
        return states.sum() * 0
    same = (kinds[:, None] == kinds[None]).float()
    target = same / same.sum(dim=1, keepdim=True)
    logits = pictures[used] @ states.flatten(0, 1)[used].T / TEMPERATURE
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
