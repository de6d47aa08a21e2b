#!/usr/bin/env bash
# Measures `acdclip serve` under the load of 64 clients, beside a service of plain PyTorch
# and FastAPI with the same model (bench/serve/peer.py), and beside `acdclip predict`:
# bench/serve.sh [SECONDS [ROUNDS [MODEL...]]]
#
# MODEL is builtin (the built-in model) or large (ViT-L/14 with random weights at 518
# pixels); default: both. Each client sends its next picture after the answer to its last
# one. After SECONDS (20) they send no more, and the answers to come are waited for: with 64
# clients and the large model, more than a minute. The services alternate for ROUNDS (2).
# The pictures are JPEG and PNG files of 256 to 1500 pixels. Scores of both sides must agree.
#
# It prints a line of JSON and a table, and has status 1 if a bound is missed: a throughput
# at least 1.5 times the peer's, a p99 no worse, no errors.
#
# Set ACDCLIP_THREADS=N for N threads on all sides (default: one per core), PRECISION=bf16 or
# int8 for our side's number format (then scores are compared and not held to agree), and
# CLIENTS=N for N clients. The packages, including torch, are installed below build/ (a few
# GB), unless $PYTHON is a Python that has them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/python.sh

readonly folder=build/bench/serve venv=build/bench/serve-venv

main() {
	[[ -x bin/acdclip ]] || make build
	local python
	python=$(find_python "$venv" bench/serve/requirements.txt)
	mkdir -p "$folder"
	eval "$(make -s env)"
	go build -o "$folder/client" ./bench/serve
	[[ -d build/bench/train/clip ]] || go run ./bench/train build/bench/train 0 # bench/train.sh's CLIP
	"$python" bench/serve.py "$folder" "${1:-20}" "${2:-2}" "${@:3}"
}

main "$@"
