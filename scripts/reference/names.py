"""Names of the trainable parameters: the released code's and ours."""

import re

import torch

_RULES = [
    (r"image_adapter\.m_i_w\.(\d+)\.i_w", r"visual.\1.blend"),
    (r"image_adapter\.lora_adapters\.(\d+)\.fusion_conv\.weight", r"visual.\1.fuse"),
    (r"image_adapter\.lora_adapters\.(\d+)\.conv_lora_blocks\.(\d)\.(.*)", None),
    (r"image_adapter\.seg_proj\.(\d+)\.fc\.(.*)", r"visual.\1.proj.\2"),
    (r"image_adapter\.det_proj\.(\d+)\.fc\.(.*)", r"visual.\1.det_proj.\2"),
    (r"image_adapter\.seg_layer_norms\.(\d+)\.(.*)", r"visual.\1.norm.\2"),
    (r"image_adapter\.det_layer_norms\.(\d+)\.(.*)", r"visual.\1.det_norm.\2"),
    (r"image_adapter\.vision_text_gate\.(\d+)\.(.*)", r"visual.\1.gate.\2"),
    (r"text_adapter\.m_t_w\.(\d+)\.i_w", r"text.\1.blend"),
    (r"text_adapter\.lora_adapters\.(\d+)\.lora_([AB])", r"text.\1.\2"),
    (r"text_adapter\.layer_norms\.(\d+)\.(.*)", r"text.\1.norm.\2"),
]
_BRANCH_PARTS = {"lora_A": "down", "lora_B": "up", "conv_lora_A.weight": "conv_down", "conv_lora_B.weight": "conv_up"}
_BRANCH_KERNELS = {"0": 3, "1": 5}


def ours(released):
    """Our name of a released parameter's full name ("image_adapter...." or "text_adapter....")."""
    for pattern, replacement in _RULES:
        match = re.fullmatch(pattern, released)
        if match is None:
            continue
        if replacement is not None:
            return match.expand(replacement)
        group, branch, part = match.groups()
        return f"visual.{group}.{_BRANCH_PARTS[part]}.{_BRANCH_KERNELS[branch]}"
    raise KeyError(released)


def from_checkpoint(checkpoint, dtype=torch.float32):
    """A released checkpoint's parameters under our names, in its own order, and the released name of each."""
    parameters, released = {}, {}
    for adapter in ("text_adapter", "image_adapter"):
        for name, tensor in checkpoint[adapter].items():
            full = f"{adapter}.{name}"
            parameters[ours(full)] = tensor.detach().to(dtype, copy=True)
            released[ours(full)] = full
    return parameters, released


def theirs(name):
    """The released full name of one of our parameters."""
    adapter, group, part = name.split(".", 2)
    kind, _, rest = part.partition(".")
    if adapter == "text":
        return "text_adapter." + {
            "blend": f"m_t_w.{group}.i_w",
            "A": f"lora_adapters.{group}.lora_A",
            "B": f"lora_adapters.{group}.lora_B",
            "norm": f"layer_norms.{group}.{rest}",
        }[kind]
    branch = {part: released for released, part in _BRANCH_PARTS.items()}
    if kind in branch:
        number = {kernel: n for n, kernel in _BRANCH_KERNELS.items()}[int(rest)]
        return f"image_adapter.lora_adapters.{group}.conv_lora_blocks.{number}.{branch[kind]}"
    return "image_adapter." + {
        "blend": f"m_i_w.{group}.i_w",
        "fuse": f"lora_adapters.{group}.fusion_conv.weight",
        "proj": f"seg_proj.{group}.fc.{rest}",
        "det_proj": f"det_proj.{group}.fc.{rest}",
        "norm": f"seg_layer_norms.{group}.{rest}",
        "det_norm": f"det_layer_norms.{group}.{rest}",
        "gate": f"vision_text_gate.{group}.{rest}",
    }[kind]


def to_checkpoint(parameters, epoch=1):
    """A checkpoint in the format of the released code."""
    checkpoint = {"epoch": epoch, "text_adapter": {}, "image_adapter": {}}
    for name, tensor in parameters.items():
        adapter, _, rest = theirs(name).partition(".")
        checkpoint[adapter][rest] = tensor
    return checkpoint
