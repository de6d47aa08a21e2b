"""Trains the small CLIP from scratch on pairs of drawn pictures, with several processes of one thread each.

The state of a run is OUT/checkpoint.pt; --resume goes on from it exactly as if the run had not been stopped, while the
pairs and the options are the same. OUT/log.jsonl has a line every 50 steps. At the end OUT/model holds the exported CLIP.
"""

import argparse
import dataclasses
import json
import math
import multiprocessing
import os
import pathlib
import signal
import tempfile
import time

import torch
import torch.distributed as dist

import export
import losses
from batch import Source, step_losses
from model import Arch, Clip
from vocabulary import Vocabulary, class_names, kept_ids

WARMUP = 150
BETAS, DECAY = (0.9, 0.98), 0.05
LOG_EVERY = 50


class Flat:
    """All parameters and gradients as views of a few flat tensors, so that a step averages and updates them at once.

    `shared` holds every gradient, then the losses and whether to stop: what the processes average.
    """

    def __init__(self, model):
        decayed, plain = [], []
        for name, parameter in model.named_parameters():
            (decayed if decays(name) else plain).append(parameter)
        sizes = [sum(p.numel() for p in group) for group in (decayed, plain)]
        self.shared = torch.zeros(sum(sizes) + len(losses.NAMES) + 1)
        self.gradients = self.shared[: sum(sizes)]
        self.losses, self.stop = self.shared[sum(sizes) : -1], self.shared[-1]
        values = [torch.empty(size) for size in sizes]
        for group, value, gradient in zip((decayed, plain), values, self.gradients.split(sizes)):
            for parameter, part, slope in zip(group, *(x.split([p.numel() for p in group]) for x in (value, gradient))):
                part.copy_(parameter.detach().flatten())
                parameter.data, parameter.grad = part.view_as(parameter), slope.view_as(parameter)
        self.groups = []
        for value, gradient, decay in zip(values, self.gradients.split(sizes), (DECAY, 0)):
            value.requires_grad_(True).grad = gradient
            self.groups.append({"params": [value], "weight_decay": decay})


def decays(name):
    """Whether weight decay applies: not to norms, biases, positions and embeddings."""
    return not (name.endswith("bias") or "ln_" in name or "embedding" in name)


def schedule(step, steps, rate):
    """Warm-up, then half a cosine to about zero."""
    if step < WARMUP:
        return rate * (step + 1) / WARMUP
    return rate * (0.5 + 0.5 * math.cos(math.pi * (step - WARMUP) / max(1, steps - WARMUP)))


def size_of(step, options):
    """The side of the pictures in a step."""
    return options.large if step >= options.steps * (1 - options.large_share) else options.size


class Run:
    """One process's part of the training. Process 0 writes the checkpoint, the log and the export."""

    def __init__(self, options, process):
        self.options, self.process, self.first = options, process, 0
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        torch.manual_seed(options.seed)
        saved = torch.load(options.out / "checkpoint.pt", weights_only=True) if options.resume else None
        kept = saved["kept"] if saved else kept_ids(class_names(options.pairs, options.classes))
        self.vocabulary = Vocabulary(kept)
        self.arch = Arch(**saved["arch"]) if saved else Arch(vocab_size=len(self.vocabulary), image_size=options.size)
        self.model = Clip(self.arch)
        self.flat = Flat(self.model)
        self.optimiser = torch.optim.AdamW(self.flat.groups, lr=options.rate, betas=BETAS, fused=True)
        if saved:
            self.model.load_state_dict(saved["model"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.first = saved["step"]
            if saved["pairs"] != describe(options):
                raise SystemExit(f"{options.out}: was begun with {saved['pairs']}, now {describe(options)}")
        self.source = Source(
            options.pairs, self.vocabulary, options.seed, options.batch // options.processes, options.processes, self.arch.patch
        )
        self.stopped = False

    def work(self):
        """All steps that are left, or as many as fit --minutes."""
        options, begin = self.options, time.monotonic()
        mark, loading, seen, saved_at = begin, 0.0, 0, begin
        totals = torch.zeros(len(losses.NAMES))
        for step in range(self.first, options.steps):
            start = time.monotonic()
            batch = self.source.batch(step, self.process, size_of(step, options))
            loading += time.monotonic() - start
            late = options.minutes and time.monotonic() - begin > 60 * options.minutes
            stop = self.step(step, batch, self.process == 0 and (late or self.stopped))
            totals += self.flat.losses
            seen += 2 * options.batch
            done = step + 1 == options.steps
            if self.process == 0:
                now = time.monotonic()
                if (step + 1) % LOG_EVERY == 0 or done:
                    count = (step % LOG_EVERY) + 1
                    self.log(step + 1, totals / min(count, step + 1 - self.first), seen / (now - mark), loading / (now - mark))
                    mark, loading, seen, totals = now, 0.0, 0, torch.zeros(len(losses.NAMES))
                if stop or done or now - saved_at > 60 * options.save_minutes:
                    self.save(step + 1)
                    saved_at = now
            if stop:
                return
        if self.process == 0:
            print(export.write(options.out / "checkpoint.pt", options.out / "model"))

    def step(self, step, batch, stop):
        """Computes, averages and applies gradients; whether any process wants to stop."""
        self.flat.shared.zero_()
        terms = step_losses(self.model, batch)
        terms[0].backward()
        self.flat.losses.copy_(terms.detach())
        self.flat.stop.fill_(float(stop))
        if self.options.processes > 1:
            dist.all_reduce(self.flat.shared)
            self.flat.shared /= self.options.processes
        norm = self.flat.gradients.norm()
        if not norm.isfinite():
            raise SystemExit(f"step {step}: gradients are not finite")
        self.flat.gradients.mul_((self.options.clip / norm).clamp(max=1))
        for group in self.optimiser.param_groups:
            group["lr"] = schedule(step, self.options.steps, self.options.rate)
        self.optimiser.step()
        return self.flat.stop > 0

    def log(self, step, means, speed, loading):
        line = {"step": step, "size": size_of(step - 1, self.options)}
        line |= {name: round(float(value), 4) for name, value in zip(losses.NAMES, means)}
        line |= {"rate": self.optimiser.param_groups[0]["lr"], "pictures_per_second": round(speed, 1), "loading": round(loading, 3)}
        line["time"] = round(time.time())
        text = json.dumps(line)
        print(text, flush=True)
        with open(self.options.out / "log.jsonl", "a") as file:
            file.write(text + "\n")

    def save(self, step):
        """Replaces the checkpoint in one step, so that a kill leaves the one before or the new one."""
        state = {
            "step": step,
            "arch": dataclasses.asdict(self.arch),
            "kept": self.vocabulary.kept,
            "pairs": describe(self.options),
            "model": {name: value.clone() for name, value in self.model.state_dict().items()},
            "optimiser": self.optimiser.state_dict(),
        }
        path = self.options.out / "checkpoint.pt"
        partial = path.with_suffix(".partial")
        with open(partial, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)


def describe(options):
    """What must be the same when a run goes on."""
    names = "seed", "steps", "batch", "processes", "rate", "clip", "size", "large", "large_share"
    files = [[path.name, path.stat().st_size] for path in sorted(options.pairs.glob("pairs-*"))]
    classes = options.classes.read_text().split() if options.classes else []
    return {"files": files, "classes": classes} | {name: getattr(options, name) for name in names}


def worker(options, process, meeting):
    if options.processes > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=process, world_size=options.processes)
    run = Run(options, process)
    if process == 0:
        for number in (signal.SIGTERM, signal.SIGINT):  # save and stop after this step
            signal.signal(number, lambda *_: setattr(run, "stopped", True))
        print(f"{len(run.source.pairs)} pairs, {len(run.vocabulary)} rows, from step {run.first}", flush=True)
    else:
        for number in (signal.SIGTERM, signal.SIGINT):  # process 0 tells it when to stop
            signal.signal(number, signal.SIG_IGN)
    run.work()
    if options.processes > 1:
        dist.destroy_process_group()


def parse():
    arguments = argparse.ArgumentParser(description=__doc__)
    add = arguments.add_argument
    add("--pairs", type=pathlib.Path, required=True, help="folder of pairs-NNN.npy, masks-NNN.npy and pairs-NNN.json")
    add("--out", type=pathlib.Path, required=True, help="the run's folder")
    add("--steps", type=int, required=True, help="length of the schedule")
    add("--minutes", type=float, help="save and stop after so many minutes; --resume goes on")
    add("--resume", action="store_true", help="go on from the checkpoint, if there is one")
    add("--seed", type=int, default=0)
    add("--processes", type=int, default=2)
    add("--batch", type=int, default=20, help="pairs a step, of all processes together")
    add("--rate", type=float, default=1e-3, help="highest learning rate")
    add("--clip", type=float, default=1.0, help="largest norm of the gradients")
    add("--size", type=int, default=80, help="side of the pictures, and of the stored positions")
    add("--large", type=int, default=112, help="side of the pictures in the last steps")
    add("--large-share", type=float, default=0.2, help="share of these steps")
    add("--classes", type=pathlib.Path, help="names of more classes whose tokens get rows of their own, one a line")
    add("--save-minutes", type=float, default=5, help="time between checkpoints")
    options = arguments.parse_args()
    if options.batch % options.processes:
        arguments.error("--batch is not a multiple of --processes")
    return options


def main():
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    options.resume = options.resume and (options.out / "checkpoint.pt").exists()
    meeting = os.path.join(tempfile.mkdtemp(), "meeting")
    spawn = multiprocessing.get_context("spawn")
    # When process 0 is killed, the others fail in their next exchange with it.
    others = [spawn.Process(target=worker, args=(options, n, meeting), daemon=True) for n in range(1, options.processes)]
    for other in others:
        other.start()
    try:
        worker(options, 0, meeting)
    except BaseException:
        for other in others:  # they ignore what ends a process at exit
            other.kill()
        raise
    for other in others:
        other.join()


if __name__ == "__main__":
    main()
