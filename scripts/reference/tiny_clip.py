"""A random CLIP whose files stay small: its tensors are windows of a few shared storages.

torch.save writes a storage once for any number of tensors. The token embedding's rows overlap (row i
begins at value i), blocks use one storage at different offsets, and the Hugging Face file's projections are
transposed views. So the files also contain strided tensors and shared storages, which readers must support.
"""

import json
import pathlib
from dataclasses import dataclass

import torch

from windows import Windows

START, VOCABULARY, CONTEXT = 49406, 49408, 77
EMBED = WIDTH = 64  # one head in each tower


@dataclass(frozen=True)
class Shape:
    patch: int = 7
    image_size: int = 21
    layers: int = 6  # per tower


def weights(shape, generator):
    """Tensors with OpenAI's names: fp16 matrices, fp32 norms and position embeddings."""
    matrices = Windows(4 * WIDTH * WIDTH, 0, 0.1, generator, room=4096, dtype=torch.float16)
    scales = Windows(WIDTH, 1, 0.2, generator, room=256)
    shifts = Windows(4 * WIDTH, 0, 0.1, generator, room=256)
    positions = Windows(CONTEXT * WIDTH, 0, 0.2, generator, room=256)
    words = torch.empty(VOCABULARY - 1 + WIDTH).normal_(0, 0.5, generator=generator).half()

    def norm(name):
        return {f"{name}.weight": scales.window(WIDTH), f"{name}.bias": shifts.window(WIDTH)}

    def linear(name, inputs, outputs):
        return {f"{name}.weight": matrices.window(outputs, inputs), f"{name}.bias": matrices.window(outputs)}

    def block(name):
        attention = {
            f"{name}.attn.in_proj_weight": matrices.window(3 * WIDTH, WIDTH),
            f"{name}.attn.in_proj_bias": matrices.window(3 * WIDTH),
        }
        return (
            norm(f"{name}.ln_1")
            | attention
            | linear(f"{name}.attn.out_proj", WIDTH, WIDTH)
            | norm(f"{name}.ln_2")
            | linear(f"{name}.mlp.c_fc", WIDTH, 4 * WIDTH)
            | linear(f"{name}.mlp.c_proj", 4 * WIDTH, WIDTH)
        )

    tokens = 1 + (shape.image_size // shape.patch) ** 2
    tensors = {
        "positional_embedding": positions.window(CONTEXT, WIDTH),
        "text_projection": matrices.window(WIDTH, EMBED),
        "logit_scale": torch.tensor(4.6055),
        "visual.class_embedding": positions.window(WIDTH),
        "visual.positional_embedding": positions.window(tokens, WIDTH),
        "visual.proj": matrices.window(WIDTH, EMBED),
        "visual.conv1.weight": matrices.window(WIDTH, 3, shape.patch, shape.patch),
        "token_embedding.weight": torch.as_strided(words, (VOCABULARY, WIDTH), (1, 1)),
    }
    for name in ("visual.ln_pre", "visual.ln_post", "ln_final"):
        tensors |= norm(name)
    for tower in ("visual.transformer", "transformer"):
        for n in range(shape.layers):
            tensors |= block(f"{tower}.resblocks.{n}")
    return tensors


def save_openai(path, tensors, shape):
    """A plain state dict with OpenAI's three extra entries."""
    extra = {"input_resolution": shape.image_size, "context_length": CONTEXT, "vocab_size": VOCABULARY}
    torch.save({name: torch.tensor(value) for name, value in extra.items()} | tensors, path)


def save_hugging_face(folder, tensors, shape):
    """A CLIPModel folder: config.json and pytorch_model.bin."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(hugging_face_config(shape), indent=2) + "\n")
    torch.save(to_hugging_face(tensors, shape), folder / "pytorch_model.bin")


def hugging_face_config(shape):
    tower = {
        "hidden_act": "quick_gelu",
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "layer_norm_eps": 1e-5,
        "num_attention_heads": WIDTH // 64,
        "num_hidden_layers": shape.layers,
        "projection_dim": EMBED,
    }
    text = {"vocab_size": VOCABULARY, "max_position_embeddings": CONTEXT, "bos_token_id": START, "eos_token_id": START + 1}
    vision = {"image_size": shape.image_size, "patch_size": shape.patch, "num_channels": 3}
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": EMBED,
        "text_config": tower | text | {"model_type": "clip_text_model"},
        "vision_config": tower | vision | {"model_type": "clip_vision_model"},
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
        for tower, blocks in (("vision_model", "visual.transformer"), ("text_model", "transformer")):
            for n in range(shape.layers):
                layer, block = f"{tower}.encoder.layers.{n}", f"{blocks}.resblocks.{n}"
                for their_part, our_part in parts.items():
                    theirs[f"{layer}.{their_part}.{kind}"] = ours[f"{block}.{our_part}.{kind}"]
                joined = ours[f"{block}.attn.in_proj_{kind}"]
                for part, rows in zip("qkv", joined.split(WIDTH)):
                    theirs[f"{layer}.self_attn.{part}_proj.{kind}"] = rows
    return theirs
