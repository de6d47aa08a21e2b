"""A small CLIP as trainable modules, with OpenAI's parameter names.

Shapes: B pictures, L = 1 + G*G tokens (the class token first), P texts, E embedding width.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

SCALE = 10  # of the cosines in state logits


@dataclass(frozen=True)
class Arch:
    """Sizes; image_size is that of the stored position grid, other sizes resize it."""

    vocab_size: int
    image_size: int = 80
    patch: int = 8
    vision_width: int = 128
    vision_layers: int = 6
    vision_heads: int = 4
    text_width: int = 64
    text_layers: int = 6
    text_heads: int = 2
    embed_dim: int = 64
    context: int = 77


class Attention(nn.Module):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = linear(width, width, width**-0.5 * (2 * layers) ** -0.5)

    def forward(self, x, causal):
        batch, length, width = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.out_proj(x.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, heads, layers)
        self.mlp = nn.ModuleDict(
            {
                "c_fc": linear(width, 4 * width, (2 * width) ** -0.5),
                "c_proj": linear(4 * width, width, width**-0.5 * (2 * layers) ** -0.5),
            }
        )

    def forward(self, x, causal=False):
        x = x + self.attn(self.ln_1(x), causal)
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x))))


class Blocks(nn.Module):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads, layers) for _ in range(layers))

    def forward(self, x, causal=False):
        for block in self.resblocks:
            x = block(x, causal)
        return x


class Vision(nn.Module):
    def __init__(self, arch):
        super().__init__()
        width = arch.vision_width
        self.patch, self.grid = arch.patch, arch.image_size // arch.patch
        self.conv1 = nn.Conv2d(3, width, arch.patch, arch.patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) * width**-0.5)
        self.positional_embedding = nn.Parameter(torch.randn(1 + self.grid**2, width) * width**-0.5)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Blocks(width, arch.vision_heads, arch.vision_layers)
        self.proj = nn.Parameter(torch.randn(width, arch.embed_dim) * width**-0.5)

    def positions(self, grid):
        """[1 + grid*grid, width]: bicubic with antialiasing, as CLIP's loading code resizes them."""
        stored = self.positional_embedding
        if grid == self.grid:
            return stored
        square = stored[1:].T.reshape(1, -1, self.grid, self.grid)
        square = F.interpolate(square, size=(grid, grid), mode="bicubic", antialias=True, align_corners=False)
        return torch.cat([stored[:1], square.flatten(2)[0].T])

    def forward(self, images):
        """[B, 3, S, S] -> [B, L, E]: every token through ln_post and proj, unit."""
        batch, grid, patch = len(images), images.shape[-1] // self.patch, self.patch
        # A product of matrices is faster here than the convolution that it equals.
        pixels = images.view(batch, 3, grid, patch, grid, patch).permute(0, 2, 4, 1, 3, 5).reshape(batch, grid * grid, -1)
        patches = pixels @ self.conv1.weight.flatten(1).T
        x = torch.cat([self.class_embedding.expand(batch, 1, -1), patches], dim=1) + self.positions(grid)
        x = self.ln_post(self.transformer(self.ln_pre(x)))
        return F.normalize(x @ self.proj, dim=-1)


class Clip(nn.Module):
    def __init__(self, arch):
        super().__init__()
        self.arch = arch
        self.visual = Vision(arch)
        self.token_embedding = nn.Embedding(arch.vocab_size, arch.text_width)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        self.positional_embedding = nn.Parameter(torch.randn(arch.context, arch.text_width) * 0.01)
        self.transformer = Blocks(arch.text_width, arch.text_heads, arch.text_layers)
        self.ln_final = nn.LayerNorm(arch.text_width)
        self.text_projection = nn.Parameter(torch.randn(arch.text_width, arch.embed_dim) * arch.text_width**-0.5)
        self.register_buffer("logit_scale", torch.tensor(math.log(1 / 0.07)))

    def text(self, rows):
        """Rows of the token embedding [P, T], the end token's the largest -> unit embeddings [P, E]."""
        x = self.token_embedding(rows) + self.positional_embedding[: rows.shape[1]]
        x = self.transformer(x, causal=True)
        ends = x[torch.arange(len(x)), rows.argmax(dim=-1)]
        return F.normalize(self.ln_final(ends) @ self.text_projection, dim=-1)


def linear(inputs, outputs, std):
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=std)
    nn.init.zeros_(layer.bias)
    return layer


def state_logits(tokens, states):
    """Logits that tokens [B, L, E] are anomalous, from normal and abnormal embeddings [B, 2, E]: [B, L]"""
    return SCALE * (tokens @ (states[:, 1] - states[:, 0]).unsqueeze(-1)).squeeze(-1)
