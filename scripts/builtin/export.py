"""Writes a run's CLIP as a Hugging Face CLIPModel in float16."""

import argparse
import json
import pathlib

import torch
from safetensors.torch import save_file

from model import Arch
from vocabulary import HASHED

LIMIT = 3_300_000  # bytes of the folder

NAMES = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "logit_scale": "logit_scale",
}
PROJECTIONS = {"visual.proj": "visual_projection.weight", "text_projection": "text_projection.weight"}
MODULES = {
    "visual.ln_pre": "vision_model.pre_layrnorm",  # the misspelling is theirs
    "visual.ln_post": "vision_model.post_layernorm",
    "ln_final": "text_model.final_layer_norm",
}
TOWERS = {"visual.transformer.resblocks.": "vision_model.encoder.layers.", "transformer.resblocks.": "text_model.encoder.layers."}
PARTS = {"attn.out_proj": "self_attn.out_proj", "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}


def hugging_face(weights):
    """The tensors with Hugging Face's names and shapes."""
    out = {}
    for name, tensor in weights.items():
        tower = next((t for t in TOWERS if name.startswith(t)), None)
        module, _, kind = name.rpartition(".")
        if name in NAMES:
            out[NAMES[name]] = tensor
        elif name in PROJECTIONS:
            out[PROJECTIONS[name]] = tensor.T
        elif module in MODULES:
            out[f"{MODULES[module]}.{kind}"] = tensor
        else:
            number, _, part = name[len(tower) :].partition(".")
            block = f"{TOWERS[tower]}{number}."
            if part.startswith("attn.in_proj_"):
                for letter, third in zip("qkv", tensor.chunk(3)):
                    out[f"{block}self_attn.{letter}_proj.{part[len('attn.in_proj_') :]}"] = third
            else:
                out[f"{block}{PARTS[part.rpartition('.')[0]]}.{kind}"] = tensor
    return out


def config(arch, kept):
    """config.json; text_config's hashed_tokens and kept_tokens say which row of the token embedding an id of CLIP's has.

    bos_token_id and eos_token_id are rows, so that transformers reads the model right when it is given rows.
    """
    shared = {"hidden_act": "gelu", "layer_norm_eps": 1e-5, "projection_dim": arch.embed_dim}
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "dtype": "float16",
        "projection_dim": arch.embed_dim,
        "logit_scale_init_value": 2.6592,
        "text_config": shared
        | {
            "model_type": "clip_text_model",
            "hidden_size": arch.text_width,
            "intermediate_size": 4 * arch.text_width,
            "num_hidden_layers": arch.text_layers,
            "num_attention_heads": arch.text_heads,
            "max_position_embeddings": arch.context,
            "vocab_size": arch.vocab_size,
            "bos_token_id": arch.vocab_size - 2,
            "eos_token_id": arch.vocab_size - 1,
            "hashed_tokens": HASHED,
            "kept_tokens": kept,
        },
        "vision_config": shared
        | {
            "model_type": "clip_vision_model",
            "hidden_size": arch.vision_width,
            "intermediate_size": 4 * arch.vision_width,
            "num_hidden_layers": arch.vision_layers,
            "num_attention_heads": arch.vision_heads,
            "num_channels": 3,
            "image_size": arch.image_size,
            "patch_size": arch.patch,
        },
    }


def write(checkpoint, folder):
    """Writes model.safetensors and config.json, and returns a line with their size."""
    saved = torch.load(checkpoint, weights_only=True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.half().contiguous() for name, tensor in hugging_face(saved["model"]).items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    text = json.dumps(config(Arch(**saved["arch"]), saved["kept"]), separators=(",", ":"))
    (folder / "config.json").write_text(text + "\n")
    size = sum((folder / name).stat().st_size for name in ("model.safetensors", "config.json"))
    if size > LIMIT:
        raise SystemExit(f"{folder}: {size} bytes, more than {LIMIT}")
    return f"{folder}: step {saved['step']}, {size} bytes"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("run", type=pathlib.Path, help="a run's folder, or a checkpoint")
    arguments.add_argument("folder", type=pathlib.Path, help="where to write the model")
    arguments = arguments.parse_args()
    run = arguments.run
    print(write(run / "checkpoint.pt" if run.is_dir() else run, arguments.folder))


if __name__ == "__main__":
    main()
