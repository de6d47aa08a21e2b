"""The trainable parameters: their shapes and initial values."""

import torch

from options import CONV_RANK, KERNELS, RANK


def shapes(options, vision_width, text_width, hidden):
    """Our name of each trainable parameter -> its shape."""
    c, d, out = vision_width, text_width, {}
    for i in range(options.groups):
        name = f"visual.{i}"
        out |= {f"{name}.{part}": shape for part, shape in _adapter(options, c).items()}
        for head in ("", "det_") if options.classification == "detection" else ("",):
            out |= _mlp(f"{name}.{head}proj", c, hidden, d)
            out |= {f"{name}.{head}norm.weight": (d,), f"{name}.{head}norm.bias": (d,)}
        if options.fusion == "dfg":
            out |= _mlp(f"{name}.gate", d, hidden, 2 * options.groups)
        out |= {f"text.{i}.A": (d, RANK), f"text.{i}.B": (RANK, d)}
        out |= {f"text.{i}.norm.weight": (d,), f"text.{i}.norm.bias": (d,)}
        if options.merge == "rescale":
            out |= {f"{name}.blend": (1, 1, c), f"text.{i}.blend": (1, 1, d)}
    return out


def _adapter(options, c):
    if options.kind == "lora":
        return {"down": (c, RANK), "up": (RANK, c)}
    branches = [f".{k}" for k in KERNELS] if options.projections == "per_branch" else [""]
    out = {f"down{branch}": (c, RANK) for branch in branches} | {f"up{branch}": (RANK, c) for branch in branches}
    for k in KERNELS:
        out |= {f"conv_down.{k}": (CONV_RANK, RANK, k, k), f"conv_up.{k}": (RANK, CONV_RANK, k, k)}
    return out | {"fuse": (c, 2 * c, 1, 1)}


def _mlp(name, inputs, hidden, outputs):
    return {
        f"{name}.0.weight": (hidden, inputs),
        f"{name}.0.bias": (hidden,),
        f"{name}.2.weight": (outputs, hidden),
        f"{name}.2.bias": (outputs,),
    }


def initial_parameters(options, shapes_of, generator):
    """The presets' initial values for training."""
    draw = {"zero_up": _paper_value, "normal_up": _released_value}[options.init]
    return {name: _common_value(name, shape, shapes_of, generator, draw) for name, shape in shapes_of.items()}


def _common_value(name, shape, shapes_of, generator, draw):
    if name.endswith("norm.weight"):
        return torch.ones(shape)
    if name.endswith("norm.bias"):
        return torch.zeros(shape)
    if name.endswith(".blend"):
        return torch.full(shape, 0.2)
    if name.endswith((".weight", ".bias")):  # PyTorch's default for a linear layer
        return _uniform(shape, shapes_of[name.rpartition(".")[0] + ".weight"][1] ** -0.5, generator)
    return draw(name.split(".")[2], shape, generator)


def _paper_value(part, shape, generator):
    if part in ("up", "B"):
        return torch.zeros(shape)
    fan_in = shape[0] if part in ("down", "A") else _conv_fan_in(shape)
    return _uniform(shape, fan_in**-0.5, generator)


def _released_value(part, shape, generator):
    if part in ("up", "B"):
        return torch.empty(shape).normal_(0, 0.02, generator=generator)
    if part == "fuse":
        return _uniform(shape, _conv_fan_in(shape) ** -0.5, generator)
    fan_in = shape[1] if part in ("down", "A") else _conv_fan_in(shape)
    return _uniform(shape, (6 / fan_in) ** 0.5, generator)


def _conv_fan_in(shape):
    _, inputs, height, width = shape
    return inputs * height * width


def _uniform(shape, bound, generator):
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)
