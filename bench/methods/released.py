"""What the released codes of CLIP-AD, AnomalyCLIP and AdaCLIP have in common, in plain PyTorch.

They are written anew, with the same operations in the same order: tokens are [length, batch, width], texts have all
77 tokens, and the value-value attention forms its weights in memory. GitHub: ByChelsea/CLIP-AD at f004973,
zqhang/AnomalyCLIP at 45ed4dd, caoyunkang/AdaCLIP at e27ee32.
"""

import collections
import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "reference"))
import towers  # noqa: E402


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, activation):
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(width), nn.MultiheadAttention(width, width // 64), nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            collections.OrderedDict(c_fc=nn.Linear(width, 4 * width), gelu=activation(), c_proj=nn.Linear(4 * width, width))
        )

    def forward(self, x, mask=None, need_weights=False):
        n = self.ln_1(x)
        x = x + self.attn(n, n, n, need_weights=need_weights, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class DualAttention(nn.Module):
    """The value-value attention and the ordinary one, which share all weights."""

    def __init__(self, attention):
        super().__init__()
        width = attention.embed_dim
        self.heads, self.qkv, self.proj = width // 64, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.qkv.weight.data, self.qkv.bias.data = attention.in_proj_weight.clone(), attention.in_proj_bias.clone()
        self.proj.weight.data, self.proj.bias.data = attention.out_proj.weight.clone(), attention.out_proj.bias.clone()

    def forward(self, x):
        x = x.transpose(0, 1)
        batch, length, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, length, 3, self.heads, 64).permute(2, 0, 3, 1, 4)
        ordinary = ((q @ k.transpose(-2, -1)) * 64**-0.5).softmax(dim=-1)
        values = ((v @ v.transpose(-2, -1)) * 64**-0.5).softmax(dim=-1)
        joined = [(weights @ v).transpose(1, 2).reshape(batch, length, width) for weights in (ordinary, values)]
        values, ordinary = self.proj(joined[1]), self.proj(joined[0])
        return values.transpose(0, 1), ordinary.transpose(0, 1)


class Tower(nn.Module):
    def __init__(self, width, layers, activation):
        super().__init__()
        self.resblocks = nn.ModuleList([Block(width, activation) for _ in range(layers)])


class Vision(nn.Module):
    def __init__(self, arch, tokens, activation):
        super().__init__()
        width = arch.vision_width
        self.conv1 = nn.Conv2d(3, width, arch.patch, stride=arch.patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty(tokens, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Tower(width, arch.vision_layers, activation)
        self.proj = nn.Parameter(torch.empty(width, arch.embed_dim))

    def embed(self, images):
        """[B, 3, S, S] -> [1 + L, B, C]"""
        x = self.conv1(images).flatten(2).permute(0, 2, 1)
        first = self.class_embedding + torch.zeros(len(x), 1, x.shape[-1])
        x = torch.cat([first, x], dim=1) + self.positional_embedding
        return self.ln_pre(x).permute(1, 0, 2)


class Clip(nn.Module):
    def __init__(self, folder, size, activation, mode="bicubic"):
        """mode is the interpolation of the position embedding, which needs none at CLIP's own size."""
        with torch.device("meta"):
            super().__init__()
        weights = towers.load(folder).weights
        arch = towers.Arch.of(weights)
        weights["visual.positional_embedding"] = resized(weights["visual.positional_embedding"], size // arch.patch, mode)
        weights.pop("logit_scale", None)
        with torch.device("meta"):
            self.visual = Vision(arch, len(weights["visual.positional_embedding"]), activation)
            self.transformer = Tower(arch.text_width, arch.text_layers, activation)
            self.token_embedding = nn.Embedding(arch.vocab_size, arch.text_width)
            self.positional_embedding = nn.Parameter(torch.empty(arch.context_length, arch.text_width))
            self.ln_final = nn.LayerNorm(arch.text_width)
            self.text_projection = nn.Parameter(torch.empty(arch.text_width, arch.embed_dim))
        self.load_state_dict({name: tensor.contiguous() for name, tensor in weights.items()}, assign=True)
        self.mask = torch.full((arch.context_length, arch.context_length), float("-inf")).triu(1)
        for parameter in self.parameters():
            parameter.requires_grad_(True)  # the released codes freeze CLIP only by what they give to the optimiser
        self.eval()

    def encode_text(self, x, ids, enter=lambda i, x: x, need_weights=False):
        """Embedded tokens [P, 77, D] -> [P, E]; enter(i, x) puts learned tokens before block i."""
        x = (x + self.positional_embedding).permute(1, 0, 2)
        for i, block in enumerate(self.transformer.resblocks):
            x = block(enter(i, x), self.mask, need_weights)
        x = self.ln_final(x.permute(1, 0, 2))
        return x[torch.arange(len(x)), ids.argmax(dim=-1)] @ self.text_projection


def resized(position, after, mode):
    before = round((len(position) - 1) ** 0.5)
    if before == after:
        return position
    grid = position[1:].reshape(1, before, before, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, (after, after), mode=mode, align_corners=False)
    return torch.cat([position[:1], grid.flatten(2)[0].T])


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def focal(probabilities, target):
    """Probabilities [B, 2, ...] and targets of 0 and 1."""
    states = probabilities.shape[1]
    if probabilities.dim() > 2:
        probabilities = probabilities.flatten(2).permute(0, 2, 1).contiguous().flatten(0, 1)
    state = target.reshape(-1, 1).long()
    one_hot = torch.zeros(len(state), states).scatter_(1, state, 1).clamp(1e-5, 1 - 1e-5)
    pt = (one_hot * probabilities).sum(1) + 1e-5
    alpha = torch.ones(states, 1)[state].squeeze()
    return (-1 * alpha * torch.pow(1 - pt, 2) * pt.log()).mean()


def dice(probability, target):
    """The mean over the first dimension of target: pictures, or the rows of a single picture."""
    p, y = probability.reshape(len(target), -1), target.reshape(len(target), -1)
    return 1 - ((2 * (p * y).sum(1) + 1) / (p.sum(1) + y.sum(1) + 1)).sum() / len(target)
