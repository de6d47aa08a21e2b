#!/usr/bin/env bash
# Times `acdclip predict` on an idle machine and next to busy loops, one per processor,
# for several wait policies of OpenMP threads: bench/busy.sh [TURNS]
#
#   default  what acdclip chooses (cgo/torch/threads.go)
#   libgomp  libgomp's default, 300,000 spins
#   short    3,000 spins; set N=COUNT for another number
#   passive  OMP_WAIT_POLICY=passive: no spinning
#
# The result is the minimum of TURNS times. It uses a tiny random CLIP and 180 synthetic
# pictures at 98 pixels; set CLIP, CHECKPOINT, PICTURES and SIZE for others. With one busy
# loop per processor, a fair share of the time is twice the idle time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=build/bench/busy program=${PROGRAM:-bin/acdclip}

prepare() {
	[[ -x bin/acdclip ]] || make build
	mkdir -p "$folder"
	[[ -d $folder/clip ]] || bin/acdclip weights init "$folder/clip"
	[[ -d $folder/pictures ]] || bin/acdclip data synth "$folder/pictures" --set textures --normal 15 --anomalous 15 --size 96 --quiet
	[[ -f $folder/run/last.safetensors ]] ||
		bin/acdclip train --clip "$folder/clip" --auxiliary "$folder/pictures" --out "$folder/run" --overwrite --quiet \
			--set model.image_size=98 --set train.epochs=1 --limit 12
}

# predict WAY prints the time in milliseconds.
predict() {
	local -a set=()
	case $1 in
	default) ;;
	libgomp) set=(GOMP_SPINCOUNT=300000) ;;
	short) set=("GOMP_SPINCOUNT=${N:-3000}") ;;
	passive) set=(OMP_WAIT_POLICY=passive) ;;
	esac
	local begun ended
	begun=$(date +%s%N)
	env "${set[@]}" "$program" predict --quiet --out - --clip "${CLIP:-$folder/clip}" \
		--checkpoint "${CHECKPOINT:-$folder/run/last.safetensors}" --set "model.image_size=${SIZE:-98}" \
		"${PICTURES:-$folder/pictures}" >/dev/null
	ended=$(date +%s%N)
	echo "$(((ended - begun) / 1000000))"
}

least() {
	local way=$1 turn time best=
	for ((turn = 0; turn < turns; turn++)); do
		time=$(predict "$way")
		if [[ -z $best ]] || ((time < best)); then best=$time; fi
	done
	echo "$best"
}

main() {
	local turns=${1:-3} way idle busy
	local -a loops=()
	prepare
	trap 'kill "${loops[@]}" 2>/dev/null || true' EXIT
	printf '%-8s %9s %9s %11s\n' way idle busy busy/idle
	for way in libgomp passive short default; do
		idle=$(least "$way")
		for ((i = 0; i < $(nproc); i++)); do
			while :; do :; done &
			loops+=($!)
		done
		busy=$(least "$way")
		kill "${loops[@]}"
		wait "${loops[@]}" 2>/dev/null || true
		loops=()
		printf '%-8s %7d ms %7d ms %11.2f\n' "$way" "$idle" "$busy" "$(awk "BEGIN {print $busy / $idle}")"
	done
}

main "$@"
