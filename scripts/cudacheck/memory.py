"""A batch that does not fit into the device's memory ends cleanly with advice, and the next run works.

Another program takes all of the device's memory but LEFT bytes, so that the same batch is too large on any device.
"""

import subprocess
import sys
import threading

from inputs import PROMPT
from program import Failed, end_group, gpu_memory, tail
from report import SKIPPED

LEFT = 6 << 30  # bytes: enough for one picture, too few for a layer of BATCH pictures in float32
BATCH = 256
ADVICE = "lower --batch or model.image_size"
HOLD = """
import sys, torch
free, _ = torch.cuda.mem_get_info()
held = torch.empty(max(0, free - int(sys.argv[1])), dtype=torch.uint8, device="cuda")
print("held", flush=True)
sys.stdin.read()
"""


def run(check, part):
    if check.device == "cpu" or check.tiny:
        part.say("Skipped: a batch that does not fit is tried with ViT-L/14 on a GPU only.")
        part.end(SKIPPED, "needs --device cuda without --tiny")
        return
    inputs = check.large, check.chosen(BATCH), check.chosen(1)  # made before the memory is taken
    with check.programs.start([sys.executable, "-c", HOLD, LEFT], stdin=subprocess.PIPE) as holder:
        timer = threading.Timer(min(60, check.programs.left()), end_group, [holder])
        timer.start()
        try:
            if holder.stdout.readline().strip() != "held":
                raise Failed(f"the memory could not be taken: {tail(holder.stderr.read()) or 'it took too long'}")
            timer.cancel()
            part.say(f"Another program holds {gpu_memory()[0] / 1e9:.0f} GB of the device's memory.")
            compare(check, part, *inputs)
        finally:
            timer.cancel()
            end_group(holder)


def compare(check, part, model, many, one):
    (clip, checkpoint) = model

    def predict(pictures, batch):
        return check.acdclip(
            "predict", "--files-from", pictures, "--clip", clip, "--checkpoint", checkpoint, "--class", PROMPT, "--device", check.device,
            "--precision", "fp32", "--batch", batch, "--out", "-", "--quiet", check=False, most=60,
        )  # fmt: skip

    result = predict(many, BATCH)
    part.code(result.errors)
    part.judge(f"a batch of {BATCH} pictures ends with status 1 (it was {result.status}, after {result.seconds:.0f} seconds)", result.status == 1)
    part.judge(f"the message has the advice \"{ADVICE}\"", ADVICE in result.errors and "out of memory" in result.errors)
    part.judge("the next run, of one picture, works beside it", predict(one, 1).status == 0)
