"""PyTorch's image tower with random values; called by throughput.py.

    peer.py eager|compiled|transfers DEVICE OUT SIZE WIDTH HEADS DEPTH SINGLE BATCH,...

Adds a line of JSON to OUT for each batch size as soon as it is measured: in bf16, and for eager the batch SINGLE also in
float32. A run is a batch that is on the device already; runs are repeated for SECONDS after a warm-up. `transfers` copies
batches of pictures (bytes) to the device, and maps (float32) back.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

PATCH, SECONDS, WARM = 14, 2.0, 3


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.reduce = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.out(attended)
        return x + self.reduce(F.gelu(self.expand(self.norm2(x))))


class Tower(nn.Module):
    """From normalised pictures [B, 3, S, S] to the tokens [B, 1+L, C] of four levels."""

    def __init__(self, size, width, heads, depth):
        super().__init__()
        self.patches = nn.Conv2d(3, width, PATCH, stride=PATCH, bias=False)
        self.first = nn.Parameter(torch.randn(1, 1, width))
        self.place = nn.Parameter(torch.randn(1, 1 + (size // PATCH) ** 2, width))
        self.pre = nn.LayerNorm(width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])

    def forward(self, pictures):
        x = self.patches(pictures).flatten(2).transpose(1, 2)
        x = self.pre(torch.cat([self.first.expand(len(x), -1, -1), x], dim=1) + self.place)
        levels, each = [], len(self.blocks) // 4
        for i, block in enumerate(self.blocks):
            x = block(x)
            if (i + 1) % each == 0:
                levels.append(x)
        return levels


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


def timed(device, run):
    """The mean seconds of a run, and the seconds of the first."""
    begun = time.perf_counter()
    run()
    wait(device)
    first = time.perf_counter() - begun
    for _ in range(WARM - 1):
        run()
    wait(device)
    begun, count = time.perf_counter(), 0
    while count < WARM or time.perf_counter() - begun < SECONDS:
        run()
        wait(device)
        count += 1
    return (time.perf_counter() - begun) / count, first


def measure(side, device, size, shape, dtype, batch):
    torch.manual_seed(0)
    with torch.device(device):
        tower = Tower(size, *shape).to(dtype).eval()
        pictures = torch.randn(batch, 3, size, size, dtype=dtype)
    if side == "compiled":
        torch._dynamo.reset()  # each batch size is compiled for itself
        tower = torch.compile(tower, dynamic=False)
    with torch.inference_mode():
        seconds, first = timed(device, lambda: tower(pictures))
    return {
        "side": side, "format": "bf16" if dtype == torch.bfloat16 else "fp32", "batch": batch, "rate": batch / seconds,
        "compile": first if side == "compiled" else None,
    }  # fmt: skip


def transfer(device, size, batch):
    """The seconds of a batch's copies, from pageable and from pinned memory."""
    bytes_, maps = torch.zeros(batch, size, size, 3, dtype=torch.uint8), torch.zeros(batch, size, size, device=device)
    for what, content, to in (("pictures to the device", bytes_, device), ("maps back", maps, torch.device("cpu"))):
        pageable, _ = timed(device, lambda: content.to(to))  # noqa: B023
        pinned = None
        if device.type == "cuda":
            inner = content.pin_memory() if content.device.type == "cpu" else torch.empty(content.shape, pin_memory=True)
            source, target = (inner, torch.empty_like(content, device=to)) if content.device.type == "cpu" else (content, inner)
            pinned, _ = timed(device, lambda: target.copy_(source, non_blocking=True))  # noqa: B023
        yield {"batch": batch, "what": what, "bytes": content.nbytes, "pageable": pageable, "pinned": pinned}


def entries(side, device, size, shape, single, batches):
    for batch in batches:
        if side == "transfers":
            yield from transfer(device, size, batch)
        else:
            yield measure(side, device, size, shape, torch.bfloat16, batch)
    if side == "eager":
        yield measure(side, device, size, shape, torch.float32, single)


def main(side, device, out, size, width, heads, depth, single, batches):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    shape, wanted = (int(width), int(heads), int(depth)), [int(batch) for batch in batches.split(",")]
    with open(out, "w") as lines:
        for entry in entries(side, torch.device(device), int(size), shape, int(single), wanted):
            print(json.dumps(entry), file=lines, flush=True)


main(*sys.argv[1:])
