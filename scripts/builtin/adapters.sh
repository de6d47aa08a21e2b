#!/usr/bin/env bash
# Trains ACD-CLIP's adapters on a small CLIP with drawn pictures:
#   scripts/builtin/adapters.sh CLIP WORK SEED [SETTING...]
# CLIP is the exported folder, or builtin:tiny; WORK holds the drawn pictures and the runs.
# Prints the path of the checkpoint. A run that is there is resumed. SETTINGs (KEY=VALUE) come
# after the recipe below, so they override it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here program=${ACDCLIP:-$here/../../bin/acdclip}

# draw FOLDER draws the classes to learn and those that choose the epoch, as one dataset; the
# names of the latter are in FOLDER.classes.
draw() {
	local folder=$1
	[[ -d $folder ]] && return
	rm -rf "$folder.part" "$folder.more" "$folder.tuning"
	"$program" data synth "$folder.part" --set seen --normal 6 --anomalous 14 --size 160 --seed 801 --quiet
	"$program" data synth "$folder.more" --set more --normal 3 --anomalous 8 --size 160 --seed 802 --quiet
	"$program" data synth "$folder.tuning" --set tuning --normal 10 --anomalous 17 --size 224 --seed 502 --quiet
	ls "$folder.tuning" | paste -sd , >"$folder.classes"
	mv "$folder.more"/* "$folder.tuning"/* "$folder.part/"
	rmdir "$folder.more" "$folder.tuning"
	mv "$folder.part" "$folder"
}

main() {
	local clip=$1 work=$2 seed=$3
	shift 3
	mkdir -p "$work"
	draw "$work/drawn"
	local settings=()
	for setting in "$@"; do settings+=(--set "$setting"); done
	local out=$work/run-$(sha256sum <<<"$clip $seed $*" | cut -c 1-12)
	"$program" train --resume --clip "$clip" --auxiliary "builtin-drawn=$work/drawn" --out "$out" --seed "$seed" \
		--set model.image_size=112 --set model.groups=3 --set model.adapter.hidden=128 \
		--set loss.focal=30 --set loss.dice=0.3 --set loss.classification=1 --set train.lr.text=0.002 --set train.lr_decay=0.5 \
		--set train.batch=12 --set train.epochs=3 --set "train.validate=$(cat "$work/drawn.classes")" "${settings[@]}" --quiet
	echo "$out/best.safetensors"
}

main "$@"
