"""The other side of bench/methods.sh; called by bench/methods.py.

    peer.py checkpoint METHOD CLIP FILE                               writes random values in the authors' format
    peer.py score METHOD CLIP CHECKPOINT CLASS BATCH PICTURES MAPS    as main.go's score
    peer.py train METHOD CLIP CHECKPOINT CLASS BATCH DATASET EPOCHS   prints the seconds and losses of all steps
"""

import importlib
import json
import os
import pathlib
import sys
import time
import warnings

import numpy as np
import torch
from PIL import Image

warnings.simplefilter("ignore")
CLASSES = {"winclip": "WinClip", "clip_ad": "ClipAd", "anomalyclip": "AnomalyClip", "adaclip": "AdaClip"}
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def load(method, clip, checkpoint):
    return getattr(importlib.import_module(method), CLASSES[method])(clip, checkpoint)


def checkpoint(method, clip, file):
    torch.manual_seed(0)
    torch.save(importlib.import_module(method).random_checkpoint(clip), file)


def normalised(pixels):
    """uint8 [N, S, S, 3] -> [N, 3, S, S]"""
    return ((torch.from_numpy(pixels).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2).contiguous()


def score(method, clip, checkpoint, name, batch, pictures, maps):
    peer = load(method, clip, checkpoint)
    peer.prepare(name)
    pixels = np.fromfile(pictures, np.uint8).reshape(-1, peer.size, peer.size, 3)
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    seconds, processors, scores, all_maps = [], [], [], []
    for some in np.split(pixels, range(int(batch), len(pixels), int(batch))):
        start, before = time.perf_counter(), time.process_time()
        these, those = peer.score(normalised(some))
        seconds.append(time.perf_counter() - start)
        processors.append(time.process_time() - before)
        scores += those
        all_maps.append(these.astype(np.float32))
    status = pathlib.Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
    np.concatenate(all_maps).tofile(maps)
    print(json.dumps({"seconds": seconds, "cpu": processors, "scores": scores, "peak": peak}))


def train(method, clip, checkpoint, name, batch, dataset, epochs):
    peer = load(method, clip, checkpoint)
    peer.prepare(name)
    optimiser = peer.optimiser()
    pictures, masks, labels = read(pathlib.Path(dataset), peer.size)
    steps = []
    for epoch in range(int(epochs)):
        for some in torch.arange(len(pictures)).split(int(batch)):
            start, before = time.perf_counter(), time.process_time()
            loss = peer.loss(normalised(pictures[some.numpy()]), masks[some], labels[some])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            value = loss.item()
            steps.append({"epoch": epoch + 1, "seconds": time.perf_counter() - start, "cpu": time.process_time() - before, "loss": value})
    print(json.dumps(steps))


def read(dataset, size):
    """All test pictures in the dataset's order, which have that size already, with their masks and labels."""
    pictures, masks, labels = [], [], []
    for path in sorted(dataset.glob("*/test/*/*.png")):
        pictures.append(np.asarray(Image.open(path).convert("RGB")))
        mask = path.parents[2] / "ground_truth" / path.parent.name / f"{path.stem}_mask.png"
        masks.append(np.asarray(Image.open(mask)) > 0 if mask.exists() else np.zeros((size, size), bool))
        labels.append(int(mask.exists()))
    return np.stack(pictures), torch.from_numpy(np.stack(masks)).float(), torch.tensor(labels)


if __name__ == "__main__":
    if threads := int(os.environ.get("ACDCLIP_THREADS", "0")):
        torch.set_num_threads(threads)
    {"checkpoint": checkpoint, "score": score, "train": train}[sys.argv[1]](*sys.argv[2:])
