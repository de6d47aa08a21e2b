#!/usr/bin/env bash
# Measures the time and peak memory of a training step with one picture in fp32 and bf16,
# and of the released recipe in PyTorch: bench/train.sh [TURNS [STEPS [SIDE...]]]
#
# SIDE is fp32, bf16 or released (default: these three, alternating), or fp32-checkpointed
# or bf16-checkpointed, with train.recompute. Set BATCH=N for steps of N
# pictures; the released side does not support that.
#
# ViT-L/14 with random weights, 518 pixels, N = 4, preset released; CLIP, picture and
# initial values are the same on all sides. Our side is `acdclip train`; the released side
# is scripts/reference following the released code (train_peer.py).
#
# The released side needs about 13 GB of memory. Its packages, including torch, are
# installed below build/ (a few GB), unless $PYTHON is a Python that has them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/python.sh

readonly folder=build/bench/train venv=build/bench/train-venv batch=${BATCH:-1}
readonly drawn=$folder/drawn-$batch

main() {
	[[ -x bin/acdclip ]] || make build
	local python
	python=$(find_python "$venv" scripts/reference/requirements.txt)
	mkdir -p "$folder"
	eval "$(make -s env)"
	go build -o "$folder/inputs" ./bench/train
	[[ -d $folder/clip ]] || "$folder/inputs" "$folder" 0
	[[ -d $drawn ]] ||
		bin/acdclip data synth "$drawn" --set objects --classes hex_bolt --normal 0 --anomalous "$batch" --size 518 --quiet
	"$python" bench/train.py "$folder" "$drawn" "${1:-2}" "${2:-3}" "${@:3}"
}

main "$@"
