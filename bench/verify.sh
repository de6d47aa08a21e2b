#!/usr/bin/env bash
# Compares the speed of `acdclip data verify` with decoding alone in Go, and with a Python
# loop that opens the same files with Pillow: bench/verify.sh [DATASET]. DATASET is a
# dataset's folder; by default, pictures are drawn.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=build/bench/verify

main() {
	[[ -x bin/acdclip ]] || make build
	mkdir -p "$folder"
	echo "== full verification against decoding alone, one goroutine each (minimum of 5 runs)"
	CGO_ENABLED=0 go test ./pkg/data/verify -run '^$' -bench 'Run|DecodeAlone' -benchtime 10x -count 5 |
		awk '/^Benchmark/ {sub(/-[0-9]+$/, "", $1); if (!($1 in best) || $3 < best[$1]) best[$1] = $3}
		     END {for (name in best) printf "%-24s %6.1f ms\n", name, best[name] / 1e6
		          printf "verify / decode alone:   %.2f\n", best["BenchmarkRun"] / best["BenchmarkDecodeAlone"]}'
	local data=${1:-$folder/drawn}
	if [[ $# -eq 0 && ! -d $data ]]; then
		bin/acdclip data synth "$data" --normal 40 --anomalous 40 --size 512 --quiet
	fi
	echo "== the whole program on $data"
	python3 - "$data" <<-'PYTHON'
		import json, subprocess, sys, time
		def timed(*flags):
		    start = time.time()
		    out = subprocess.run(["bin/acdclip", "data", "verify", "--quiet", "--format", "json", *flags, "set=" + sys.argv[1]], capture_output=True, text=True).stdout
		    seconds = time.time() - start
		    found = json.loads(out)["datasets"][0]
		    files = found["pictures"]["files"] + found["masks"]["files"]
		    print(f"verify {' '.join(flags):8} {files} files in {seconds:.2f} s: {files / seconds:.0f} a second")
		    return seconds
		timed("--quick")
		ours = timed()
		try:
		    from PIL import Image
		except ImportError:
		    sys.exit("Pillow is not installed: no comparison with it")
		import pathlib
		from concurrent.futures import ProcessPoolExecutor
		def load(path):
		    Image.open(path).convert("RGB")
		paths = [p for p in pathlib.Path(sys.argv[1]).rglob("*") if p.suffix.lower() in (".png", ".jpg", ".bmp") and "train" not in p.parts]
		start = time.time()
		with ProcessPoolExecutor() as pool:
		    list(pool.map(load, paths, chunksize=16))
		theirs = time.time() - start
		print(f"Pillow, opening alone: {len(paths)} files in {theirs:.2f} s; Pillow / acdclip: {theirs / ours:.2f}")
	PYTHON
}

main "$@"
