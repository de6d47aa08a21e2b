"""A random CLIP whose files stay small: its tensors are windows of a few shared storages.

torch.save writes a storage once for any number of tensors. The token embedding's rows overlap (row i
begins at value i), blocks use one storage at different offsets, and the Hugging Face file's projections are
transposed views. So the files also contain strided tensors and shared storages, which readers must support.
"""

import json
import pathlib
from dataclasses import dataclass

import torch
from safetensors.torch import save_file

from windows import Windows

START, VOCABULARY, CONTEXT = 49406, 49408, 77


@dataclass(frozen=True)
class Shape:
    """Widths, blocks and heads are those of the vision tower, then of the text tower."""

    patch: int = 7
    image_size: int = 21
    layers: tuple = (6, 6)
    widths: tuple = (64, 64)
    heads: tuple = (1, 1)
    embed: int = 64
    scale: float = 0.1  # of the matrices
    quick_gelu: bool = True
    room: int = 4096  # different places of a matrix in its storage
    shared: bool = True  # else each tensor has a storage of its own, and folders hold safetensors; for widths above 64


def weights(shape, generator):
    """Tensors with OpenAI's names: fp16 matrices, fp32 norms and position embeddings."""
    vision, text = shape.widths
    widest, tokens = max(shape.widths), 1 + (shape.image_size // shape.patch) ** 2
    largest = max(4 * widest**2, vision * 3 * shape.patch**2, widest * shape.embed)
    matrices = Windows(largest, 0, shape.scale, generator, room=shape.room, dtype=torch.float16)
    scales = Windows(widest, 1, 0.2, generator, room=256)
    shifts = Windows(4 * widest, 0, 0.1, generator, room=256)
    positions = Windows(max(CONTEXT * text, tokens * vision), 0, 0.2, generator, room=256)
    words = torch.empty(VOCABULARY - 1 + text).normal_(0, 0.5, generator=generator).half()

    def norm(name, width):
        return {f"{name}.weight": scales.window(width), f"{name}.bias": shifts.window(width)}

    def linear(name, inputs, outputs):
        return {f"{name}.weight": matrices.window(outputs, inputs), f"{name}.bias": matrices.window(outputs)}

    def block(name, width):
        attention = {
            f"{name}.attn.in_proj_weight": matrices.window(3 * width, width),
            f"{name}.attn.in_proj_bias": matrices.window(3 * width),
        }
        return (
            norm(f"{name}.ln_1", width)
            | attention
            | linear(f"{name}.attn.out_proj", width, width)
            | norm(f"{name}.ln_2", width)
            | linear(f"{name}.mlp.c_fc", width, 4 * width)
            | linear(f"{name}.mlp.c_proj", 4 * width, width)
        )

    tensors = {
        "positional_embedding": positions.window(CONTEXT, text),
        "text_projection": matrices.window(text, shape.embed),
        "logit_scale": torch.tensor(4.6055),
        "visual.class_embedding": positions.window(vision),
        "visual.positional_embedding": positions.window(tokens, vision),
        "visual.proj": matrices.window(vision, shape.embed),
        "visual.conv1.weight": matrices.window(vision, 3, shape.patch, shape.patch),
        "token_embedding.weight": torch.as_strided(words, (VOCABULARY, text), (1, 1)),
    }
    for name, width in (("visual.ln_pre", vision), ("visual.ln_post", vision), ("ln_final", text)):
        tensors |= norm(name, width)
    for tower, layers, width in zip(("visual.transformer", "transformer"), shape.layers, shape.widths):
        for n in range(layers):
            tensors |= block(f"{tower}.resblocks.{n}", width)
    return tensors if shape.shared else {name: tensor.contiguous().clone() for name, tensor in tensors.items()}


def write(path, form, shape, generator):
    """Writes a random CLIP as one of FORMATS."""
    FORMATS[form](pathlib.Path(path), weights(shape, generator), shape)


def save_openai(path, tensors, shape):
    """A plain state dict with OpenAI's three extra entries."""
    extra = {"input_resolution": shape.image_size, "context_length": CONTEXT, "vocab_size": VOCABULARY}
    torch.save({name: torch.tensor(value) for name, value in extra.items()} | tensors, path)


def save_open_clip(folder, tensors, shape):
    """An open_clip folder: open_clip_config.json and open_clip_pytorch_model.bin."""
    folder.mkdir(parents=True, exist_ok=True)
    (vision, text), (vision_heads, text_heads), (vision_layers, text_layers) = shape.widths, shape.heads, shape.layers
    vision_config = {
        "image_size": shape.image_size,
        "patch_size": shape.patch,
        "layers": vision_layers,
        "width": vision,
        "head_width": vision // vision_heads,
    }
    text_config = {
        "context_length": CONTEXT,
        "vocab_size": VOCABULARY,
        "layers": text_layers,
        "width": text,
        "heads": text_heads,
    }
    config = {"embed_dim": shape.embed, "vision_cfg": vision_config, "text_cfg": text_config}
    if shape.quick_gelu:
        config["quick_gelu"] = True
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}, indent=2) + "\n")
    save_weights(folder, "open_clip_", tensors, shape)


def save_hugging_face(folder, tensors, shape):
    """A CLIPModel folder: config.json and pytorch_model.bin."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(hugging_face_config(shape), indent=2) + "\n")
    save_weights(folder, "", to_hugging_face(tensors, shape), shape)


def save_weights(folder, prefix, tensors, shape):
    if shape.shared:
        torch.save(tensors, folder / f"{prefix}pytorch_model.bin")
    else:
        save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, folder / f"{prefix}model.safetensors")


def hugging_face_config(shape):
    towers = [
        {
            "hidden_act": "quick_gelu" if shape.quick_gelu else "gelu",
            "hidden_size": width,
            "intermediate_size": 4 * width,
            "layer_norm_eps": 1e-5,
            "num_attention_heads": heads,
            "num_hidden_layers": layers,
            "projection_dim": shape.embed,
        }
        for width, heads, layers in zip(shape.widths, shape.heads, shape.layers)
    ]
    text = {"vocab_size": VOCABULARY, "max_position_embeddings": CONTEXT, "bos_token_id": START, "eos_token_id": START + 1}
    vision = {"image_size": shape.image_size, "patch_size": shape.patch, "num_channels": 3}
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": shape.embed,
        "text_config": towers[1] | text | {"model_type": "clip_text_model"},
        "vision_config": towers[0] | vision | {"model_type": "clip_vision_model"},
    }


def to_hugging_face(ours, shape):
    """Views of the same storages with Hugging Face's names."""
    theirs = {
        "logit_scale": ours["logit_scale"],
        "text_model.embeddings.position_ids": torch.arange(CONTEXT)[None],
        "text_model.embeddings.token_embedding.weight": ours["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": ours["positional_embedding"],
        "vision_model.embeddings.class_embedding": ours["visual.class_embedding"],
        "vision_model.embeddings.patch_embedding.weight": ours["visual.conv1.weight"],
        "vision_model.embeddings.position_embedding.weight": ours["visual.positional_embedding"],
        "visual_projection.weight": ours["visual.proj"].T,
        "text_projection.weight": ours["text_projection"].T,
    }
    norms = {
        "vision_model.pre_layrnorm": "visual.ln_pre",
        "vision_model.post_layernorm": "visual.ln_post",
        "text_model.final_layer_norm": "ln_final",
    }
    parts = {
        "self_attn.out_proj": "attn.out_proj",
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
    }
    for kind in ("weight", "bias"):
        for their_name, our_name in norms.items():
            theirs[f"{their_name}.{kind}"] = ours[f"{our_name}.{kind}"]
        towers = ("vision_model", "visual.transformer"), ("text_model", "transformer")
        for (tower, blocks), layers, width in zip(towers, shape.layers, shape.widths):
            for n in range(layers):
                layer, block = f"{tower}.encoder.layers.{n}", f"{blocks}.resblocks.{n}"
                for their_part, our_part in parts.items():
                    theirs[f"{layer}.{their_part}.{kind}"] = ours[f"{block}.{our_part}.{kind}"]
                joined = ours[f"{block}.attn.in_proj_{kind}"]
                for part, rows in zip("qkv", joined.split(width)):
                    theirs[f"{layer}.self_attn.{part}_proj.{kind}"] = rows
    return theirs


FORMATS = {"openai": save_openai, "hugging_face": save_hugging_face, "open_clip": save_open_clip}
