#!/usr/bin/env bash
# Times a training step of one picture, and takes its peak of memory, in fp32 and
# in bf16, beside the released recipe in PyTorch: bench/train.sh [TURNS [STEPS [SIDE...]]]
#
# SIDE is fp32, bf16 or released; without one, these three run, in turns. Others are
# fp32-checkpointed and bf16-checkpointed, with train.recompute.
# BATCH=N before it takes a step of N pictures, which the released side does not.
#
# ViT-L/14 with random weights, 518 pixels, N = 4, preset released, the same CLIP,
# picture and initial values on both sides. Ours is `acdclip train` itself; the
# peer is scripts/reference doing what the released code does (train_peer.py).
#
# The peer takes about 13 GB. What it needs is installed below build/ (some GB,
# torch among it), unless $PYTHON names a Python that has it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=build/bench/train venv=build/bench/train-venv batch=${BATCH:-1}
readonly drawn=$folder/drawn-$batch

find_python() {
	if [[ -n ${PYTHON:-} ]]; then
		echo "$PYTHON"
		return
	fi
	[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/reference/requirements.txt
	echo "$venv/bin/python"
}

main() {
	[[ -x bin/acdclip ]] || make build
	local python
	python=$(find_python)
	mkdir -p "$folder"
	eval "$(make -s env)"
	go build -o "$folder/inputs" ./bench/train
	[[ -d $folder/clip ]] || "$folder/inputs" "$folder" 0
	[[ -d $drawn ]] ||
		bin/acdclip data synth "$drawn" --set objects --classes hex_bolt --normal 0 --anomalous "$batch" --size 518 --quiet
	"$python" bench/train.py "$folder" "$drawn" "${1:-2}" "${2:-3}" "${@:3}"
}

main "$@"
