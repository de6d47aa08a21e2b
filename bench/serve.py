"""Runs both services of bench/serve.sh alternately, and compares them.

A round starts a service, has it score each picture of a few once, so that it is warm, measures, and ends it. Throughput is
the pictures scored from the first request to the last answer. Memory is the service's peak (VmHWM), including loading.
The medians of all rounds count; the table shows the least and the largest too. On a busy machine, the time of all processors
that a service used for a picture tells more than its throughput.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from PIL import Image

folder, seconds, rounds, chosen = pathlib.Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
OURS, PEER, CLIENT = ["bin/acdclip"], [sys.executable, "bench/serve/peer.py"], [folder / "client"]
CLIENTS = int(os.environ.get("CLIENTS", "64"))
THREADS = int(os.environ.get("ACDCLIP_THREADS") or len(os.sched_getaffinity(0)))
PRECISION = os.environ.get("PRECISION", "fp32")
CLASS = "hex bolt"
SIZES, PER_SIZE = (256, 640, 1000, 1500), 8  # pictures
TOLERANCE = 2e-5  # of scores and maxima of maps in fp32: both decode and scale pictures as Pillow does
COMPARED = ("throughput", "p50", "p99", "cpu")
FASTER = 1.5  # the least ratio of the throughputs
STATES = (
    ("{}", "a {}", "the {}"),
    ("a damaged {}", "a broken {}", "a {} with flaw", "a {} with defect", "a {} with damage"),
)


@dataclass(frozen=True)
class Model:
    """The same one for both sides."""

    preset: str
    size: int
    clip: pathlib.Path
    adapters: pathlib.Path
    ours: list  # our program's flags
    warm: int  # pictures before the measurement
    predicted: int  # pictures that predict scores


LARGE = pathlib.Path("build/bench/train")
MODELS = {
    "builtin": Model("paper", 112, folder / "builtin", folder / "builtin" / "adapters.safetensors", [], 32, 32),
    "large": Model("released", 518, LARGE / "clip", LARGE / "start.safetensors",
                   ["--preset", "released", "--clip", LARGE / "clip", "--checkpoint", folder / "large.pth"], 2, 8),
}  # fmt: skip


def output(command, **options):
    return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, check=True, text=True, **options).stdout


def drawn():
    """Picture files, every other one a JPEG."""
    out = folder / "pictures"
    if not out.exists():
        made = folder / "drawn"
        for size in SIZES:
            output([*OURS, "data", "synth", made / str(size), "--set", "textures", "--size", size, "--quiet", "--normal", 1, "--anomalous", 1])
        partial = folder / "pictures.partial"
        partial.mkdir(exist_ok=True)
        for size in SIZES:
            for n, path in enumerate(sorted((made / str(size)).glob("*/test/*/*.png"))[:PER_SIZE]):
                name = f"{size}-{n}.{'jpg' if n % 2 else 'png'}"
                Image.open(path).convert("RGB").save(partial / name, **({"quality": 90} if n % 2 else {}))
        partial.rename(out)
    paths = sorted(out.iterdir(), key=lambda path: [int(n) for n in re.findall(r"\d+", path.stem)][::-1])  # sizes alternate
    assert len(paths) == len(SIZES) * PER_SIZE, f"{out} has {len(paths)} pictures; remove it"
    return paths


def prepare(name, model):
    if name == "builtin":
        output([*CLIENT, "builtin", model.clip])
    elif not (folder / "large.pth").exists():
        output([*PEER, "checkpoint", model.adapters, folder / "large.pth"])
    texts = [[template.format(state.format(CLASS)) for state in states for template in ("{}.", "a photo of {}.")] for states in STATES]
    tokens = [json.loads(output([*CLIENT, "tokens", model.clip], input="\n".join(state))) for state in texts]
    (folder / f"{name}.tokens").write_text(json.dumps(tokens))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def our_flags(model):
    return [*model.ours, "--class", CLASS, "--threads", THREADS, "--set", f"precision={PRECISION}"]


def commands(name, model, port):
    peer = [*PEER, "serve", model.preset, model.size, model.clip, model.adapters, folder / f"{name}.tokens", port, THREADS]
    ours = [*OURS, "serve", *our_flags(model), "--listen", f"127.0.0.1:{port}", "--queue", max(CLIENTS, 64), "--timeout", "30m", "--quiet"]
    return {"acdclip": ours, "peer": peer}


@contextlib.contextmanager
def running(command, port):
    """Starts a service, waits until it is ready, and ends it; a service that fails ends the program."""
    with subprocess.Popen(list(map(str, command))) as process:
        try:
            while process.poll() is None:
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
                    break
                time.sleep(0.1)
            else:
                sys.exit(f"{command[0]} {command[1]} ended before it was ready")
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
    if process.returncode not in (0, -signal.SIGTERM):
        sys.exit(f"{command[0]} {command[1]} failed")


def load(port, clients, lasting, pictures):
    return json.loads(output([*CLIENT, "load", f"http://127.0.0.1:{port}", clients, lasting, *pictures]))


def processor_seconds(pid):
    """The time of all processors that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(command, model, pictures, port):
    with running(command, port) as process:
        warm = [load(port, 1, 0.001, [picture]) for picture in pictures[: model.warm]]
        before = processor_seconds(process.pid)
        report = load(port, CLIENTS, seconds, pictures)
        used = processor_seconds(process.pid) - before
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    for one in warm:
        if one["errors"]:
            sys.exit(f"{command[0]} cannot score a picture: {one['errors']}")
    peak = int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1024
    return {**{key: report[key] for key in ("pictures", "seconds", "p50", "p99", "rows")},
            "errors": report["errors"] or {}, "throughput": report["pictures"] / report["seconds"],
            "cpu": used / max(report["pictures"], 1), "peak": peak}  # fmt: skip


def predicted(model, pictures):
    """The throughput of predict, after loading."""
    command = [*OURS, "predict", *our_flags(model), "--out", folder / "predicted", "--overwrite", "--log", "json"]
    log = subprocess.run(list(map(str, [*command, *pictures[: model.predicted]])), capture_output=True, text=True)
    if log.returncode:
        sys.exit(f"acdclip predict failed: {log.stderr}")
    (stage,) = [line for line in map(json.loads, log.stderr.splitlines()) if line["event"] == "stage_done" and line["stage"] == "predict"]
    return min(model.predicted, len(pictures)) / stage["seconds"]


def difference(ours, peers):
    """The largest difference of both sides' rows of the same pictures, and the range of the peer's scores."""
    both = ours.keys() & peers.keys()
    worst = max(abs(ours[name][a][key] - peers[name][b][key])
                for name in both for key in ("score", "map_max") for a, b in (("least", "most"), ("most", "least")))  # fmt: skip
    scores = [peers[name]["least"]["score"] for name in both]
    return worst, (min(scores), max(scores))


def measure(name, model, pictures):
    """Results of both sides by round, and whether they computed the same."""
    result = {"acdclip": [], "peer": [], "predict": []}
    for turn in range(rounds):
        for side in ("acdclip", "peer"):
            port = free_port()
            report = measured(commands(name, model, port)[side], model, pictures, port)
            result[side].append(report)
            print(f"{name}, round {turn + 1}, {side}: {report['throughput']:.2f} pictures/s, p50 {report['p50']:.3f} s, "
                  f"p99 {report['p99']:.3f} s, {report['cpu'] * 1e3:.1f} ms of processors a picture, errors {sum(report['errors'].values())}, peak {report['peak'] / 1e6:.0f} MB",
                  file=sys.stderr, flush=True)  # fmt: skip
        result["predict"].append(predicted(model, pictures))
        worst, scores = difference(result["acdclip"][-1].pop("rows"), result["peer"][-1].pop("rows"))
        print(f"{name}: scores of {scores[0]:.4f} to {scores[1]:.4f}; both sides differ by at most {worst:.1e}", file=sys.stderr, flush=True)
        result["difference"] = max(result.get("difference", 0), worst)
    return result


def spread(values, form):
    middle = format(statistics.median(values), form)
    return middle if len(values) == 1 else f"{middle} ({min(values):{form}}-{max(values):{form}})"


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def table(name, result):
    print(f"\n{name}, {CLIENTS} clients, {THREADS} threads, {PRECISION} (medians of {rounds} rounds, least and largest)")
    print(f"{'':10}{'pictures/s':>24}{'p50 s':>24}{'p99 s':>24}{'cpu s/picture':>24}{'errors':>8}{'peak MB':>9}")
    for side in ("acdclip", "peer"):
        runs = result[side]
        print(f"{side:10}" + "".join(f"{spread([run[key] for run in runs], form):>24}" for key, form in (("throughput", ".2f"), ("p50", ".3f"), ("p99", ".3f"), ("cpu", ".4f")))
              + f"{sum(sum(run['errors'].values()) for run in runs):>8}{max(run['peak'] for run in runs) / 1e6:>9.0f}")  # fmt: skip
    print(f"{'predict':10}{spread(result['predict'], '.2f'):>24}")
    print(f"{'ratio':10}" + "".join(f"{result['ratios'][key]:>24.2f}" for key in COMPARED)
          + f"{'':8}{result['ratios']['peak']:>9.2f}")  # fmt: skip


def ratios(result):
    """Ours to the peer's, and to predict's."""
    ours, peers = result["acdclip"], result["peer"]
    of = {key: median(ours, key) / median(peers, key) for key in COMPARED}
    return of | {"peak": max(run["peak"] for run in ours) / max(run["peak"] for run in peers),
                 "predict": median(ours, "throughput") / statistics.median(result["predict"])}  # fmt: skip


def missed(name, result):
    """What bounds the result misses."""
    of = result["ratios"]
    if of["throughput"] < FASTER:
        yield f"{name}: the throughput is {of['throughput']:.2f} times the peer's, less than {FASTER}"
    if of["p99"] > 1:
        yield f"{name}: the p99 is {of['p99']:.2f} times the peer's"
    for side in ("acdclip", "peer"):
        for run in result[side]:
            if run["errors"]:
                yield f"{name}: {side} had errors: {run['errors']}"
    if PRECISION == "fp32" and not result["difference"] <= TOLERANCE:
        yield f"{name}: scores of both sides differ by {result['difference']:.1e}, more than {TOLERANCE:.0e}"


def main():
    for name in chosen:
        if name not in MODELS:
            sys.exit(f"no model {name}; there are {', '.join(MODELS)}")
    if rounds < 1:
        sys.exit("a measurement needs at least one round")
    pictures, results = drawn(), {}
    for name in chosen or MODELS:
        prepare(name, MODELS[name])
        results[name] = measure(name, MODELS[name], pictures)
        results[name]["ratios"] = ratios(results[name])
    print(json.dumps({"clients": CLIENTS, "threads": THREADS, "precision": PRECISION, "seconds": seconds, "models": results}))
    for name, result in results.items():
        table(name, result)
    bounds = [text for name, result in results.items() for text in missed(name, result)]
    print("\n" + ("\n".join("MISSED: " + text for text in bounds) or "All bounds hold."))
    sys.exit(1 if bounds else 0)


if __name__ == "__main__":
    main()
