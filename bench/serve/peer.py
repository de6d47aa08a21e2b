"""The other side of bench/serve.sh: a service of plain PyTorch and FastAPI, with the model of scripts/reference.

    peer.py serve PRESET IMAGE_SIZE CLIP ADAPTERS TOKENS PORT THREADS
    peer.py checkpoint ADAPTERS FILE

The model is loaded once, the prompts are encoded once. Pictures are decoded and scaled on the threads of FastAPI's pool,
which Pillow lets run at once; one thread runs the model. The second form writes adapters as a file of the released code.
"""

import json
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import torch
import uvicorn
from fastapi import FastAPI, HTTPException, UploadFile
from safetensors.torch import load_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "reference"))
import names  # noqa: E402
import options  # noqa: E402
import pictures  # noqa: E402
import towers  # noqa: E402
from model import AcdClip  # noqa: E402

PRESETS = {"paper": options.PAPER, "released": options.RELEASED}
DOMAIN = "industrial"


class Scorer:
    """One picture at a time, [S, S, 3] uint8, to its score and the largest value of its map."""

    def __init__(self, preset, clip, adapters, tokens):
        self.model = AcdClip(towers.load(clip), preset, load_file(adapters))
        with torch.inference_mode():
            self.text = self.model.text(*(torch.tensor(ids) for ids in tokens))

    @torch.inference_mode()
    def score(self, pixels):
        images = pictures.normalise(torch.from_numpy(pixels.copy())[None])
        fused = self.model.fuse(self.model.vision(images), self.text)
        abnormal = self.model.map(fused, images.shape[-1], DOMAIN)[:, 1]
        return self.model.score(fused, abnormal, DOMAIN).item(), abnormal.max().item()


def service(scorer, size, threads):
    app = FastAPI()
    # Threads of libtorch belong to the thread that calls it, so one thread calls it.
    worker = ThreadPoolExecutor(max_workers=1, initializer=torch.set_num_threads, initargs=(threads,))

    @app.get("/readyz")
    def ready():
        return {"status": "ready"}

    @app.post("/v1/score")
    def score(picture: UploadFile):
        try:
            pixels = pictures.resize(pictures.decode(picture.file), size)
        except Exception as error:
            raise HTTPException(422, f"{picture.filename} is no picture: {error}") from error
        value, map_max = worker.submit(scorer.score, pixels).result()
        return {"rows": [{"path": picture.filename, "score": value, "map_max": map_max}]}

    return app


def serve(preset, size, clip, adapters, tokens, port, threads):
    torch.set_num_threads(int(threads))
    chosen = replace(PRESETS[preset], image_size=int(size))
    scorer = Scorer(chosen, clip, adapters, json.loads(pathlib.Path(tokens).read_text()))
    uvicorn.run(service(scorer, int(size), int(threads)), host="127.0.0.1", port=int(port), log_level="warning")


def checkpoint(adapters, file):
    torch.save(names.to_checkpoint(load_file(adapters)), file)


if __name__ == "__main__":
    {"serve": serve, "checkpoint": checkpoint}[sys.argv[1]](*sys.argv[2:])
