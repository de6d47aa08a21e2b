#!/usr/bin/env bash
# Measures how long one picture takes, in every number format, beside other ways to run the same
# image tower on this machine, and writes this processor's part of BENCHMARKS.md:
# bench/inference.sh [ROUNDS [SIDE...]]
#
# Our sides (fp32, bf16, int8) are `acdclip bench`: the whole way from the picture's file to score
# and map. The other sides are the tower alone: transformers with scaled_dot_product_attention
# (sdpa), the same under torch.compile (compiled), OpenVINO in float32, bfloat16 and int8 by
# NNCF with SmoothQuant, and ONNX Runtime in float32 and dynamic int8; and the authors' recipe
# (released), from normalised picture to map. Default: 5 rounds of all sides in turn, but for
# bfloat16 on processors that do not compute in it.
#
# ViT-L/14 with random weights, 518 pixels, the same on all sides, one picture at a time. Set
# ACDCLIP_THREADS=N for N threads on all sides. The int8 conversion by NNCF needs 8 GB of
# memory. The packages, including torch, are installed below build/ (a few GB), unless $PYTHON
# is a Python that has them. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/python.sh

readonly folder=build/bench/inference train=build/bench/train venv=build/bench/inference-venv

main() {
	[[ -x bin/acdclip ]] || make build
	local python
	python=$(find_python "$venv" bench/inference/requirements.txt)
	mkdir -p "$folder"
	eval "$(make -s env)"
	[[ -d $train/clip && -f $train/start.safetensors ]] || go run ./bench/train "$train" 0
	cp "$train/start.safetensors" "$folder"
	[[ -d $folder/drawn ]] ||
		bin/acdclip data synth "$folder/drawn" --set objects --classes hex_bolt --normal 2 --anomalous 2 --size 518 --quiet
	[[ -f $folder/run/last.safetensors ]] || # one step: only its existence matters here
		bin/acdclip train --clip "$train/clip" --auxiliary "$folder/drawn" --out "$folder/run" --overwrite --quiet \
			--preset released --set train.epochs=1 --set train.batch=4 --set train.recompute=true
	"$python" bench/inference.py "$folder" "$train/clip" "${1:-5}" "${@:2}"
}

main "$@"
