#!/usr/bin/env bash
# Compares how fast `acdclip predict` is with and without the files it draws, in turns:
# bench/drawing.sh [TURNS]
# Prints the pictures a second of each (the best turn), and the ratio to rows alone. It uses
# the built-in model and 240 drawn pictures of 640 x 640 pixels; set PICTURES (a folder) and
# ARGUMENTS (such as "--clip CLIP --method winclip") for others.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=build/bench/drawing program=${PROGRAM:-bin/acdclip}
readonly variants=("" "--heatmaps" "--heatmaps --heatmap-format jpeg" "--heatmaps --max-side 320" "--figures" "--html")

main() {
	local turns=${1:-3}
	[[ -x $program ]] || make build
	mkdir -p "$folder"
	[[ -d $folder/pictures ]] || "$program" data synth "$folder/pictures" --set textures --normal 24 --anomalous 24 --size 640 --quiet
	local -A best=()
	local turn variant begun milliseconds count
	count=$(find -L "${PICTURES:-$folder/pictures}" -path '*ground_truth*' -prune -o -type f -print | wc -l)
	for ((turn = 0; turn < turns; turn++)); do
		for variant in "${variants[@]}"; do
			begun=$(date +%s%N)
			# shellcheck disable=SC2086
			"$program" predict ${ARGUMENTS:-} $variant --quiet --overwrite --out "$folder/out" --threshold 0.5 --pixel-threshold 0.5 "${PICTURES:-$folder/pictures}"/*/test
			milliseconds=$((($(date +%s%N) - begun) / 1000000))
			if [[ -z ${best[x$variant]:-} || $milliseconds -lt ${best[x$variant]} ]]; then best[x$variant]=$milliseconds; fi
		done
	done
	for variant in "${variants[@]}"; do
		awk -v name="${variant:-rows alone}" -v n="$count" -v ms="${best[x$variant]}" -v alone="${best[x]}" \
			'BEGIN { printf "%-34s %7.1f pictures a second, %.2f of the speed of rows alone\n", name, 1000 * n / ms, alone / ms }'
	done
}

main "$@"
