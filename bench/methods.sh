#!/usr/bin/env bash
# Measures the time and peak memory of each method's inference, and of a training epoch after
# the first, beside the code that people use today: bench/methods.sh [TURNS [WORK...]]
#
# WORK is winclip, sdp, sdp_plus, anomalyclip or adaclip (seconds a picture), or
# train_sdp_plus, train_anomalyclip or train_adaclip (seconds an epoch of 16, 8 and 2
# pictures). Default: all of them, with 2 turns, alternating between both sides.
#
# The other side of winclip is anomalib's own WinCLIP. That of the others is plain PyTorch
# in bench/methods, which does what the authors' released code does in float32, with its
# order of operations and its batches, and computes again what that code computes again.
# CLIP's weights, checkpoints and pictures are random, and the same on both sides: ViT-B/16+
# at 240 pixels for winclip and sdp, ViT-L/14 at 518 pixels for the others. Scores, maps and
# losses of both sides must agree.
#
# Set ACDCLIP_THREADS=N for N threads on both sides. train_adaclip's other side needs about
# 15 GB of memory. The packages, including torch, are installed below build/ (a few GB),
# unless $PYTHON is a Python that has them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/python.sh

readonly folder=build/bench/methods venv=build/bench/methods-venv

main() {
	[[ -x bin/acdclip ]] || make build
	local python
	python=$(find_python "$venv" bench/methods/requirements.txt)
	mkdir -p "$folder"
	eval "$(make -s env)"
	export LIBACDCLIP_NATIVE=$PWD/build/current/libacdclip_native.so
	go build -o "$folder/ours" ./bench/methods
	[[ -d $folder/vit-b-plus ]] || "$folder/ours" clip "$folder/vit-b-plus"
	[[ -d build/bench/train/clip ]] || go run ./bench/train build/bench/train 0 # bench/train.sh's CLIP
	"$python" bench/methods.py "$folder" "${1:-2}" "${@:2}"
}

main "$@"
