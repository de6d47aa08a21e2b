"""Scores pictures with the model of scripts/reference; called by ladder.py.

    reference.py CLIP CHECKPOINT PRESET SIZE DEVICE OUT PICTURE...

The pictures must be SIZE pixels wide and high. OUT gets the maps and scores on the CPU in float32, and on DEVICE in
float32 and under autocast in bf16. It needs safetensors and Pillow beside torch.
"""

import json
import pathlib
import sys
from dataclasses import replace

import numpy as np
import torch
from inputs import GOLDEN, PROMPT, ROOT, read_safetensors

sys.path.insert(0, str(ROOT / "scripts" / "reference"))
import names  # noqa: E402
import pictures  # noqa: E402
import towers  # noqa: E402
from model import AcdClip  # noqa: E402
from options import PAPER, RELEASED  # noqa: E402

# The prompts of scripts/reference/prompts.py, whose tokenizer needs other packages.
TEMPLATES = ("{}.", "a photo of {}.")
STATES = (
    ("{}", "a {}", "the {}"),
    ("a damaged {}", "a broken {}", "a {} with flaw", "a {} with defect", "a {} with damage"),
)


def ids_of(states):
    """The ids [P, 77] of a state's prompts, from the golden folder."""
    known = {row["text"]: row["ids"] for row in json.loads((GOLDEN / "tokens.json").read_text())}
    rows = [known[template.format(state.format(PROMPT))] for state in states for template in TEMPLATES]
    return torch.tensor([row + [0] * (77 - len(row)) for row in rows])


def load(clip, checkpoint, preset, size):
    """The two towers, the options and the parameters, on the CPU."""
    checkpoint = pathlib.Path(checkpoint)
    if checkpoint.suffix == ".pth":
        parameters, _ = names.from_checkpoint(torch.load(checkpoint, map_location="cpu", weights_only=True))
    else:
        parameters = read_safetensors(checkpoint)
    groups = 1 + max(int(name.split(".")[1]) for name in parameters)
    options = replace({"paper": PAPER, "released": RELEASED}[preset], groups=groups, image_size=size)
    return towers.load(clip), options, parameters


def score(clip, options, parameters, images, device, bf16):
    """Maps [B, S, S] and scores [B]."""
    clip.weights = {name: tensor.to(device) for name, tensor in clip.weights.items()}
    model = AcdClip(clip, options, {name: tensor.to(device) for name, tensor in parameters.items()})
    with torch.inference_mode(), torch.device(device), torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
        text = model.text(*(ids_of(states).to(device) for states in STATES))
        fused = model.fuse(model.vision(images.to(device)), text)
        maps = model.map(fused, images.shape[-1], smooth="industrial")[:, 1]
        return maps.float().cpu().numpy(), model.score(fused, maps, "industrial").float().cpu().numpy()


def main(clip, checkpoint, preset, size, device, out, *paths):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    images = torch.cat([pictures.normalised(path, int(size)) for path in paths])
    given = load(clip, checkpoint, preset, int(size))
    content = {}
    for side, place, bf16 in (("cpu", "cpu", False), ("fp32", device, False), ("bf16", device, True)):
        content[f"{side}.maps"], content[f"{side}.scores"] = score(*given, images, place, bf16)
    np.savez(out, **content)


main(*sys.argv[1:])
