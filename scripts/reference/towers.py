"""CLIP's two frozen towers, with one function per step.

Weights have OpenAI's names, for all file formats.
"""

import json
import math
import pathlib
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

START_OF_TEXT, END_OF_TEXT = 49406, 49407
EPSILON = 1e-5  # of every LayerNorm

ACTIVATIONS = {
    "gelu": F.gelu,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
}


@dataclass(frozen=True)
class Arch:
    """An architecture, derived only from the tensors' shapes."""

    image_size: int
    patch: int
    vision_width: int
    vision_layers: int
    text_width: int
    text_layers: int
    embed_dim: int
    context_length: int
    vocab_size: int

    @staticmethod
    def of(weights):
        width, _, patch, _ = weights["visual.conv1.weight"].shape
        tokens = weights["visual.positional_embedding"].shape[0]
        context, text_width = weights["positional_embedding"].shape
        return Arch(
            image_size=math.isqrt(tokens - 1) * patch,
            patch=patch,
            vision_width=width,
            vision_layers=_count_blocks(weights, "visual.transformer"),
            text_width=text_width,
            text_layers=_count_blocks(weights, "transformer"),
            embed_dim=weights["text_projection"].shape[1],
            context_length=context,
            vocab_size=weights["token_embedding.weight"].shape[0],
        )


def _count_blocks(weights, tower):
    prefix = tower + ".resblocks."
    return 1 + max(int(name[len(prefix):].split(".")[0]) for name in weights if name.startswith(prefix))


def load(path, dtype=torch.float32):
    """Reads OpenAI's .pt (TorchScript archive or plain state dict), or a folder: Hugging Face's CLIPModel or open_clip's."""
    path, heads = pathlib.Path(path), (None, None)
    if not path.is_dir():
        weights = read_pt(path)
    elif (path / "open_clip_config.json").exists():
        weights, heads = read_folder(path, "open_clip_"), open_clip_heads(path)
    else:
        weights, heads = from_hugging_face(read_folder(path)), hugging_face_heads(path)
    return Clip({name: tensor.to(dtype) for name, tensor in weights.items() if tensor.is_floating_point()}, *heads)


def read_pt(path):
    try:
        return torch.jit.load(str(path), map_location="cpu").state_dict()
    except RuntimeError:  # not a TorchScript archive
        return torch.load(path, map_location="cpu", weights_only=True)


def read_folder(path, prefix=""):
    if (path / f"{prefix}model.safetensors").exists():
        return load_file(path / f"{prefix}model.safetensors")
    return torch.load(path / f"{prefix}pytorch_model.bin", map_location="cpu", weights_only=True)


def open_clip_heads(path):
    """The heads of the vision and of the text tower."""
    config = json.loads((path / "open_clip_config.json").read_text())["model_cfg"]
    return config["vision_cfg"]["width"] // config["vision_cfg"].get("head_width", 64), config["text_cfg"]["heads"]


def hugging_face_heads(path):
    config = json.loads((path / "config.json").read_text())
    return tuple(config[f"{tower}_config"]["num_attention_heads"] for tower in ("vision", "text"))


# Hugging Face's name of a part -> OpenAI's.
_EMBEDDINGS = {
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "logit_scale": "logit_scale",
}
_NORMS = {
    "vision_model.pre_layrnorm": "visual.ln_pre",  # the misspelling is theirs
    "vision_model.post_layernorm": "visual.ln_post",
    "text_model.final_layer_norm": "ln_final",
}
_TOWERS = {"vision_model.encoder.layers": "visual.transformer.resblocks", "text_model.encoder.layers": "transformer.resblocks"}
_BLOCK = {"self_attn.out_proj": "attn.out_proj", "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
_PROJECTIONS = {"visual_projection.weight": "visual.proj", "text_projection.weight": "text_projection"}


def from_hugging_face(theirs):
    """Hugging Face's tensors with OpenAI's names: q, k, v concatenated, projections transposed."""
    ours = {name: theirs[source] for source, name in _EMBEDDINGS.items()}
    ours |= {name: theirs[source].T for source, name in _PROJECTIONS.items()}
    for source, name in _NORMS.items():
        for kind in ("weight", "bias"):
            ours[f"{name}.{kind}"] = theirs[f"{source}.{kind}"]
    for source, name in _TOWERS.items():
        for n in sorted({int(key[len(source) + 1:].split(".")[0]) for key in theirs if key.startswith(source + ".")}):
            for kind in ("weight", "bias"):
                qkv = [theirs[f"{source}.{n}.self_attn.{part}_proj.{kind}"] for part in "qkv"]
                ours[f"{name}.{n}.attn.in_proj_{kind}"] = torch.cat(qkv)
                for their_part, our_part in _BLOCK.items():
                    ours[f"{name}.{n}.{our_part}.{kind}"] = theirs[f"{source}.{n}.{their_part}.{kind}"]
    return ours


class Clip:
    """Frozen CLIP: embed, block by block, head. Sequences are [B, L, width]. Without a number of heads, each is 64 wide."""

    def __init__(self, weights, vision_heads=None, text_heads=None):
        self.weights = weights
        self.arch = Arch.of(weights)
        self.vision_heads = vision_heads or self.arch.vision_width // 64
        self.text_heads = text_heads or self.arch.text_width // 64
        for tensor in weights.values():
            tensor.requires_grad_(False)

    @property
    def dtype(self):
        return self.weights["visual.proj"].dtype

    def position_embedding(self, size, resize="antialias"):
        """The vision position embedding for pictures of another size: [1 + G*G, C].

        `resize` is "antialias" (bicubic), "bicubic" or "bilinear" (both without antialiasing).
        """
        position = self.weights["visual.positional_embedding"]
        before, after = self.arch.image_size // self.arch.patch, size // self.arch.patch
        if before == after:
            return position
        grid = position[1:].T.reshape(1, -1, before, before)
        mode, antialias = ("bicubic", True) if resize == "antialias" else (resize, False)
        grid = F.interpolate(grid, size=(after, after), mode=mode, antialias=antialias, align_corners=False)
        return torch.cat([position[:1], grid.flatten(2)[0].T])

    def image_tokens(self, images, resize="antialias"):
        """[B, 3, S, S] -> [B, 1 + G*G, C], the class token first, before ln_pre."""
        w = self.weights
        patches = F.conv2d(images, w["visual.conv1.weight"], stride=self.arch.patch).flatten(2).transpose(1, 2)
        class_token = w["visual.class_embedding"].expand(len(images), 1, -1)
        return torch.cat([class_token, patches], dim=1) + self.position_embedding(images.shape[-1], resize)

    def embed_image(self, images, resize="antialias"):
        return self.norm("visual.ln_pre", self.image_tokens(images, resize))

    def embed_text(self, ids):
        """[P, 77] -> [P, 77, D]."""
        return self.weights["token_embedding.weight"][ids] + self.weights["positional_embedding"][: ids.shape[1]]

    def vision_block(self, n, x, activation):
        return self._block(f"visual.transformer.resblocks.{n}", x, activation, self.vision_heads)

    def vision_parts(self, n, x, activation):
        """A block's output, its stream between attention and MLP, and the attention of values to values: [B, L, C] each."""
        name = f"visual.transformer.resblocks.{n}"
        h = self.norm(name + ".ln_1", x)
        attended = x + self._attention(name + ".attn", h, self.vision_heads)
        values = self._attention(name + ".attn", h, self.vision_heads, values_only=True)
        return self._mlp(name, attended, activation), attended, values

    def text_block(self, n, x, activation):
        return self._block(f"transformer.resblocks.{n}", x, activation, self.text_heads, causal=True)

    def image_embedding(self, class_token):
        """ln_post and projection of the class token after the last block, not normalised."""
        return self.norm("visual.ln_post", class_token) @ self.weights["visual.proj"]

    def text_embedding(self, x, ids):
        """ln_final and projection of the end token after the last block, not normalised."""
        return end_token(self.norm("ln_final", x), ids) @ self.weights["text_projection"]

    def encode_tokens(self, x, activation):
        """Sends vision tokens, after ln_pre, through all blocks."""
        for n in range(self.arch.vision_layers):
            x = self.vision_block(n, x, activation)
        return x

    def encode_image(self, images, activation):
        """Plain CLIP: the hidden states after the last block, and the image embedding."""
        x = self.encode_tokens(self.embed_image(images), activation)
        return x, self.image_embedding(x[:, 0])

    def encode_text(self, ids, activation):
        x = self.embed_text(ids)
        for n in range(self.arch.text_layers):
            x = self.text_block(n, x, activation)
        return self.text_embedding(x, ids)

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"], EPSILON)

    def linear(self, name, x):
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def _block(self, name, x, activation, heads, causal=False):
        x = x + self._attention(name + ".attn", self.norm(name + ".ln_1", x), heads, causal)
        return self._mlp(name, x, activation)

    def _mlp(self, name, x, activation):
        h = ACTIVATIONS[activation](self.linear(name + ".mlp.c_fc", self.norm(name + ".ln_2", x)))
        return x + self.linear(name + ".mlp.c_proj", h)

    def _attention(self, name, x, heads, causal=False, values_only=False):
        """`values_only` puts the values in the places of queries and keys too."""
        batch, length, width = x.shape
        qkv = F.linear(x, self.weights[name + ".in_proj_weight"], self.weights[name + ".in_proj_bias"])
        q, k, v = qkv.reshape(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(*((v, v) if values_only else (q, k)), v, is_causal=causal)
        return self.linear(name + ".out_proj", x.transpose(1, 2).reshape(batch, length, width))


def end_token(x, ids):
    """The hidden state at each text's first end token, the largest id: [P, D]."""
    return x[torch.arange(len(x)), ids.argmax(dim=-1)]
