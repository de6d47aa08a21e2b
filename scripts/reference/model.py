"""ACD-CLIP on frozen towers: Conv-LoRA, text adapters, Dynamic Fusion Gateway, maps and scores.

Shapes: B pictures, L = G*G patches, C vision width, D text width, N groups, P prompts; state 0 normal, 1 abnormal.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from options import ALPHA, CONV_RANK, KERNELS, RANK, Options
from towers import EPSILON, Clip, end_token


@dataclass
class Vision:
    """The output of the vision tower."""

    adapter: list  # N x [B, L, C]: raw adapter output, before the merge
    group: list  # N x [B, L, C]: merged tokens
    segmentation: torch.Tensor  # [N, B, L, D], unit
    detection: torch.Tensor | None  # [N, B, D], mean over the patches of unit tokens
    image: torch.Tensor  # [B, D], unit: the class token's embedding


@dataclass
class Fused:
    """The fused output of vision and text."""

    gate_logits: list  # N x [B, N, 2]; empty with static fusion
    gate_weights: list  # N x [B, N, 2], softmax over the levels
    grid_logits: torch.Tensor  # [N, B, 2, G, G], temperature applied
    class_logits: torch.Tensor  # [B, 2]


class AcdClip:
    """One model for both presets: `options` defines all computations.

    `parameters` is a flat dict with the names of the golden paper files:
    visual.i.{down, up, conv_down.k, conv_up.k, fuse, proj, norm, gate, ...}, text.j.{A, B, norm, blend}.
    """

    def __init__(self, clip: Clip, options: Options, parameters: dict):
        options.check(clip.arch)
        self.clip, self.options, self.parameters = clip, options, parameters

    # Towers with adapters

    def vision(self, images):
        """[B, 3, S, S], normalised -> Vision."""
        o, arch = self.options, self.clip.arch
        x = self.clip.embed_image(images)
        adapters, groups, segmentation, detection = [], [], [], []
        for i in range(o.groups):
            for n in _blocks(i, arch.vision_layers, o.groups):
                x = self.clip.vision_block(n, x, o.activation)
            patches = x[:, 1:]
            delta = self._visual_adapter(i, patches)
            merged = self._merge(f"visual.{i}", patches, delta)
            x = torch.cat([x[:, :1], merged], dim=1)
            adapters.append(delta)
            groups.append(merged)
            segmentation.append(self._tokens(f"visual.{i}", "", merged))
            if o.classification == "detection":
                detection.append(self._tokens(f"visual.{i}", "det_", merged).mean(dim=1))
        return Vision(
            adapter=adapters,
            group=groups,
            segmentation=torch.stack(segmentation),
            detection=torch.stack(detection) if detection else None,
            image=_unit(self.clip.image_embedding(x[:, 0])),
        )

    def text(self, normal_ids, abnormal_ids):
        """Ids [P, 77] of one class's prompts in each state -> T [N, D, 2], unit over D."""
        states = [self._text_levels(ids) for ids in (normal_ids, abnormal_ids)]
        return torch.stack(states, dim=-1)

    def _text_levels(self, ids):
        o, arch = self.options, self.clip.arch
        x, levels = self.clip.embed_text(ids), []
        for j in range(o.groups):
            for n in _blocks(j, arch.text_layers, o.groups):
                x = self.clip.text_block(n, x, o.activation)
            delta = x @ self._p(f"text.{j}.A") @ self._p(f"text.{j}.B") * self._lora_scale()
            x = self._merge(f"text.{j}", x, delta)
            prompts = _unit(end_token(self._norm(f"text.{j}.norm", x), ids))
            levels.append(_unit(prompts.mean(dim=0)))
        return torch.stack(levels)

    # Adapters

    def _visual_adapter(self, i, x):
        if self.options.kind == "lora":
            return x @ self._p(f"visual.{i}.down") @ self._p(f"visual.{i}.up") * self._lora_scale()
        return self._conv_lora(f"visual.{i}", x)

    def _conv_lora(self, name, x):
        """Eq. 1-3: low rank down, two convolutions on the grid, up, branches mixed by a 1x1 convolution."""
        grid = math.isqrt(x.shape[1])
        branches = []
        for k in KERNELS:
            branch = f".{k}" if self.options.projections == "per_branch" else ""
            low = (x @ self._p(f"{name}.down{branch}")).transpose(1, 2).unflatten(-1, (grid, grid))
            h = F.conv2d(low, self._p(f"{name}.conv_down.{k}"), padding=k // 2)
            h = h / k if self.options.scale == "kernel" else h
            u = F.conv2d(h, self._p(f"{name}.conv_up.{k}"), padding=k // 2)
            u = u / k if self.options.scale == "kernel" else u * (ALPHA / CONV_RANK)
            out = u.flatten(2).transpose(1, 2) @ self._p(f"{name}.up{branch}")
            branches.append(out * (ALPHA / math.sqrt(RANK)) if self.options.scale == "alpha" else out)
        return torch.cat(branches, dim=-1) @ self._p(f"{name}.fuse").flatten(1).T

    def _merge(self, name, x, delta):
        if self.options.merge == "residual":
            return x + delta
        w = self._p(f"{name}.blend")
        delta = delta * (x.norm(dim=-1, keepdim=True) / delta.norm(dim=-1, keepdim=True))
        return (1 - w) * x + w * delta

    def _lora_scale(self):
        return ALPHA / RANK if self.options.merge == "residual" else ALPHA / math.sqrt(RANK)

    def _tokens(self, name, head, x):
        """MLP, LayerNorm, unit norm: [B, L, C] -> [B, L, D]."""
        x = self._linear(f"{name}.{head}proj.2", F.leaky_relu(self._linear(f"{name}.{head}proj.0", x), 0.01))
        return _unit(self._norm(f"{name}.{head}norm", x))

    # Fusion (Eq. 4-6)

    def fuse(self, vision, text):
        """Vision of B pictures and their texts [B, N, D, 2] (or one [N, D, 2] for all) -> Fused."""
        o = self.options
        if text.dim() == 3:
            text = text.expand(vision.image.shape[0], *text.shape)
        gate_logits, gate_weights, levels = [], [], []
        for i, tokens in enumerate(vision.segmentation):
            fused = text[:, i]
            if o.fusion == "dfg":
                logits = self._gate(i, tokens)
                weights = logits.softmax(dim=1)
                fused = torch.einsum("bns,bnds->bds", weights, text)
                gate_logits.append(logits)
                gate_weights.append(weights)
            if o.similarity == "cosine":
                fused = _unit(fused, dim=1)
            levels.append(tokens @ fused / o.tau)  # [B, L, 2]
        grid = math.isqrt(levels[0].shape[1])
        grid_logits = torch.stack(levels).transpose(-1, -2).unflatten(-1, (grid, grid))
        return Fused(gate_logits, gate_weights, grid_logits, self._class_logits(vision, text))

    def _gate(self, i, tokens):
        h = F.gelu(self._linear(f"visual.{i}.gate.0", tokens.mean(dim=1)))
        return self._linear(f"visual.{i}.gate.2", h).unflatten(-1, (self.options.groups, 2))

    def _class_logits(self, vision, text):
        if self.options.classification == "class_token":
            return torch.einsum("bd,bds->bs", vision.image, text[:, -1]) / self.options.tau
        return torch.einsum("nbd,bnds->nbs", vision.detection, text).mean(dim=0)

    # Maps and scores

    def map(self, fused, size, smooth=None):
        """Both channels of the anomaly map: [B, 2, size, size], probabilities. `smooth` names a domain, in evaluation."""
        if self.options.average == "maps":
            return _upsample(self.level_maps(fused).mean(dim=0), size)
        logits = fused.grid_logits.mean(dim=0)
        if smooth is not None and self.options.smoothing:
            domain = self.options.domain(smooth)
            logits = gaussian_blur(logits, domain.kernel, domain.sigma)
        return _upsample(logits, size).softmax(dim=1)

    def level_maps(self, fused):
        """The map of each level on the patch grid: [N, B, 2, G, G]."""
        return fused.grid_logits.softmax(dim=2)

    def score(self, fused, abnormal, domain):
        """The image score [B], from the class probability and the largest value of the abnormal map [B, H, W]."""
        weights = self.options.domain(domain)
        p = self.class_probability(fused)
        return weights.score_classification * p + weights.score_map * abnormal.flatten(1).max(dim=1).values

    def class_probability(self, fused):
        return fused.class_logits.softmax(dim=-1)[:, 1]

    def _p(self, name):
        return self.parameters[name]

    def _linear(self, name, x):
        return F.linear(x, self._p(name + ".weight"), self._p(name + ".bias"))

    def _norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self._p(name + ".weight"), self._p(name + ".bias"), EPSILON)


def _blocks(group, layers, groups):
    size = layers // groups
    return range(group * size, (group + 1) * size)


def _unit(x, dim=-1):
    return x / x.norm(dim=dim, keepdim=True)


def _upsample(x, size):
    return F.interpolate(x, size=(size, size), mode="bilinear", align_corners=True)


def gaussian_blur(x, kernel, sigma):
    """Gaussian filter of an odd size with reflect padding, on [B, S, G, G]."""
    half = kernel // 2
    if x.shape[-1] <= half:
        raise ValueError(f"a grid of {x.shape[-1]} patches is too small for a Gaussian of {kernel}")
    line = torch.exp(-0.5 * (torch.arange(-half, half + 1, dtype=x.dtype) / sigma) ** 2)
    line = line / line.sum()
    weight = torch.outer(line, line).expand(x.shape[1], 1, kernel, kernel)
    return F.conv2d(F.pad(x, (half,) * 4, mode="reflect"), weight, groups=x.shape[1])
