"""Another way to run the image tower of bench/inference.sh; called by bench/inference.py.

    peer.py SIDE CLIP FOLDER PIXELS COUNT

CLIP is a Hugging Face folder, FOLDER keeps converted models, PIXELS has pictures of 518 x 518 x 3 bytes. Prints one line
of JSON: the seconds of COUNT runs after the first, and the peak memory in bytes.

`released` is the whole recipe as the authors' code runs it: attention that returns its weights, adapters, fusion and map.
The others are the tower alone, from normalised pictures to the tokens of four levels.
"""

import json
import os
import pathlib
import sys
import time
import warnings

import numpy as np
import torch

warnings.simplefilter("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
SIDE, MEAN, STD = 518, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
LEVELS = (6, 12, 18, 24)
THREADS = int(os.environ.get("ACDCLIP_THREADS") or os.cpu_count())


class Tower(torch.nn.Module):
    def __init__(self, clip):
        super().__init__()
        from transformers import CLIPVisionModel

        self.model = CLIPVisionModel.from_pretrained(clip, attn_implementation="sdpa", dtype=torch.float32).eval()

    def forward(self, x):
        states = self.model(x, output_hidden_states=True, interpolate_pos_encoding=True).hidden_states
        return tuple(states[i] for i in LEVELS)


def normalised(pixels):
    return ((torch.from_numpy(pixels).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2).contiguous()


def released(clip, folder, x):
    root = pathlib.Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(root / "scripts" / "reference"), str(root / "bench")]
    import prompts
    import towers
    from model import AcdClip
    from options import RELEASED
    from safetensors.torch import load_file
    from train_peer import ReleasedClip

    weights = towers.load(clip).weights
    frozen = ReleasedClip(weights)
    for tensor in weights.values():
        tensor.requires_grad_(False)
    model = AcdClip(frozen, RELEASED, load_file(folder / "start.safetensors"))
    normal, abnormal = prompts.class_ids("hex bolt")
    text = model.text(normal, abnormal)

    def run(x):
        fused = model.fuse(model.vision(x), text)
        model.map(fused, SIDE)

    return run


def compiled(clip, folder, x):
    return torch.compile(Tower(clip))


def openvino(precision, quantised):
    def make(clip, folder, x):
        import openvino as ov

        file = folder / ("openvino-int8.xml" if quantised else "openvino.xml")
        if not file.exists():
            model = ov.convert_model(Tower(clip), example_input=x[:1], input=[1, 3, SIDE, SIDE])
            if quantised:
                import nncf

                data = nncf.Dataset([x[i : i + 1].numpy() for i in range(len(x))])
                model = nncf.quantize(model, data, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(x))
            ov.save_model(model, file, compress_to_fp16=False)
        compiled = ov.compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"})
        return lambda x: compiled(x.numpy())

    return make


def onnxruntime(quantised):
    def make(clip, folder, x):
        import onnxruntime as ort
        from onnxruntime.quantization import QuantType, quantize_dynamic

        file, small = folder / "onnx" / "tower.onnx", folder / "onnx" / "tower-int8.onnx"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            torch.onnx.export(Tower(clip), (x[:1],), file, dynamo=False, opset_version=17, input_names=["x"])
        if quantised and not small.exists():
            quantize_dynamic(file, small, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul"])
        options = ort.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = ort.InferenceSession(small if quantised else file, options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x.numpy()})

    return make


SIDES = {
    "released": released,
    "sdpa": lambda clip, folder, x: Tower(clip),
    "compiled": compiled,
    "openvino-fp32": openvino("f32", False),
    "openvino-bf16": openvino("bf16", False),
    "openvino-int8": openvino("f32", True),
    "onnxruntime-fp32": onnxruntime(False),
    "onnxruntime-int8": onnxruntime(True),
}


def main(side, clip, folder, pixels, count):
    torch.set_num_threads(THREADS)
    x = normalised(np.fromfile(pixels, np.uint8).reshape(-1, SIDE, SIDE, 3))
    seconds = []
    with torch.inference_mode():
        run = SIDES[side](clip, pathlib.Path(folder), x)
        for i in range(int(count) + 1):
            one = x[i % len(x) : i % len(x) + 1].contiguous()
            start = time.perf_counter()
            run(one)
            seconds.append(time.perf_counter() - start)
    peak = int(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    print(json.dumps({"seconds": seconds[1:], "peak": peak}))


main(*sys.argv[1:])
