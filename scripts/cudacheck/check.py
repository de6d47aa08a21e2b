"""The check of scripts/cuda-check.sh on a machine with a GPU: its parts in turn, each with its own limit of time.

A part that fails does not stop the others.
"""

import argparse
import os
import pathlib
import platform
import signal
import sys
import tempfile
import time
import traceback

import inputs
import ladder
import memory
import overlap
import throughput
import torch
import training
from program import Failed, Programs
from report import FAILED, RUNNING, Report


def doctor(check, part):
    result = check.acdclip("doctor", check=False)
    part.code(result.output)
    part.judge("doctor finds libtorch and no problem", result.status == 0)
    if check.device != "cpu":
        part.judge("doctor finds a CUDA device", "cuda:0" in result.output)


# Each part with its share of the time. A part that needs less leaves the rest to the later ones.
PARTS = (
    ("1. What is found", doctor, 0.10),
    ("2. The golden ladder", ladder.run, 0.25),
    ("3. Overlapping batches", overlap.run, 0.12),
    ("4. Training", training.run, 0.20),
    ("5. Out of memory", memory.run, 0.15),
    ("6. Throughput", throughput.run, 0.45),
    ("7. PyTorch beside it", throughput.run_peers, 0.40),
)


def environment():
    """Ours, with the libraries of this Python's torch and our native one, and none of the user's settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ACDCLIP_")}
    native = inputs.ROOT / "build" / "current" / "libacdclip_native.so"
    return kept | {"LIBTORCH": str(pathlib.Path(torch.__file__).parent), "LIBACDCLIP_NATIVE": str(native), "PYTHONUNBUFFERED": "1"}


def about(device):
    found = {"device": device, "processor": processor(), "cores": len(os.sched_getaffinity(0)), "torch": torch.__version__}
    if device != "cpu" and torch.cuda.is_available():
        found |= {"GPU": torch.cuda.get_device_name(0), "CUDA": torch.version.cuda}
    return found | {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def run_part(check, report, title, run, seconds):
    part, begun = report.begin(title), time.monotonic()
    print(f"{title} ...", flush=True)
    check.programs.limit(seconds)
    try:
        run(check, part)
        if part.status == RUNNING:
            part.end()
    except Failed as problem:
        part.end(FAILED, str(problem))
    except Exception as problem:  # a mistake in one part must not hide the results of the others
        part.code(traceback.format_exc())
        part.end(FAILED, f"{type(problem).__name__}: {problem}")
    part.seconds = time.monotonic() - begun
    report.write()
    print(f"  {part.status}{': ' + part.reason if part.reason else ''}, {part.seconds:.0f} s", flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/cuda-check.sh run", description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a tiny CLIP and four pictures; always with --device cpu")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("folder", type=pathlib.Path, help="where report.md, report.json and log.txt are written")
    return parser.parse_args()


def main():
    given = arguments()
    tiny, end = given.tiny or given.device == "cpu", time.monotonic() + 60 * given.minutes
    report = Report(given.folder, about(given.device))
    log = given.folder / "log.txt"
    log.write_text("")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # the temporary folder is removed
    with tempfile.TemporaryDirectory(prefix="acdclip-check-") as work:
        programs = Programs(log, end, environment(), given.device != "cpu")
        check = inputs.Check(programs, inputs.TINY if tiny else inputs.LARGE, given.device, tiny, pathlib.Path(work))
        for title, run, share in PARTS:
            run_part(check, report, title, run, 60 * given.minutes * share)
    print(f"see {given.folder / 'report.md'}")
    sys.exit(0 if report.good() else 1)


if __name__ == "__main__":
    main()
