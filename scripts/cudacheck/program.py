"""Runs programs within the time that is left, and measures their memory."""

import os
import pathlib
import signal
import subprocess
import threading
import time
from dataclasses import dataclass


PAUSE = 0.25  # seconds between two looks at the memory


class Failed(Exception):
    """A program that failed, or that ran out of time."""


@dataclass
class Result:
    status: int
    output: str
    errors: str
    seconds: float
    host_peak: int  # bytes; 0 if it ended before it was looked at
    device_peak: int  # bytes beyond those in use before; 0 without a GPU


class Programs:
    """All programs of a check: one log, one time at which everything ends, and an earlier one for the part that runs."""

    def __init__(self, log, end, environment, gpu):
        self.log, self.end, self.part_end, self.environment, self.gpu = log, end, end, environment, gpu
        self.lock = threading.Lock()

    def limit(self, seconds):
        self.part_end = min(self.end, time.monotonic() + seconds)

    def left(self):
        return max(0.0, self.part_end - time.monotonic())

    def start(self, command, **options):
        return subprocess.Popen(
            [str(word) for word in command], env=self.environment, process_group=0, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    def run(self, *command, most=float("inf"), check=True):
        """A program's Result. It is ended after `most` seconds or with the time of the part. With check, a failure is raised."""
        limit = min(most, self.left())
        if limit < 1:
            raise Failed("no time was left")
        begun = time.monotonic()
        with self.start(command, stdin=subprocess.DEVNULL) as process, Watch(process.pid, self.gpu) as watch:
            try:
                output, errors = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                end_group(process)
                output, errors = process.communicate()
                self.write(command, process.returncode, errors)
                raise Failed(f"{name_of(command)} was ended after {limit:.0f} seconds; {tail(errors)}") from None
            except BaseException:  # the check itself is ended
                end_group(process)
                raise
        self.write(command, process.returncode, errors)
        if check and process.returncode != 0:
            raise Failed(f"{name_of(command)} ended with status {process.returncode}: {tail(errors)}")
        return Result(process.returncode, output, errors, time.monotonic() - begun, watch.host, watch.device)

    def write(self, command, status, errors):
        with self.lock, open(self.log, "a") as log:
            log.write(f"$ {' '.join(map(str, command))}\n{errors[-20000:]}status {status}\n\n")


def end_group(process):
    """Ends a program and those that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def name_of(command):
    return " ".join(pathlib.Path(str(word)).name for word in command[:3])


def tail(text, lines=3):
    return " / ".join(text.strip().splitlines()[-lines:])[-600:]


def gpu_memory():
    """Bytes in use on the first GPU, and its size; zeros without nvidia-smi."""
    query = ["nvidia-smi", "-i", "0", "--query-gpu=memory.used,memory.total", "--format=csv,noheader,nounits"]
    try:
        text = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        used, total = (int(word) << 20 for word in text.split(","))
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0, 0
    return used, total


class Watch(threading.Thread):
    """Looks at the peak memory of a process, and of the GPU, until it is left."""

    def __init__(self, pid, gpu):
        super().__init__(daemon=True)
        self.pid, self.gpu, self.host, self.device = pid, gpu, 0, 0
        self.ended = threading.Event()

    def run(self):
        before = gpu_memory()[0] if self.gpu else 0
        while not self.ended.wait(PAUSE):
            self.host = max(self.host, host_peak(self.pid))
            if self.gpu:
                self.device = max(self.device, gpu_memory()[0] - before)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def host_peak(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return 0
