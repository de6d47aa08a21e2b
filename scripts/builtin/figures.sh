#!/usr/bin/env bash
# Measures the built-in CLIP and its adapters: scripts/builtin/figures.sh WORK PYTHON [MAGNETIC]
# Draws the test sets into WORK, trains adapters with three seeds (unless they are there), scores
# everything, and prints the tables of docs/builtin.md. PYTHON has requirements.txt installed;
# MAGNETIC is the folder of the magnetic tile pictures in MVTec's layout. FROM is the CLIP,
# builtin:tiny if it is unset: an exported folder for another one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here program=${ACDCLIP:-$here/../../bin/acdclip} seeds=(0 1 2)

# draw NAME SET NORMAL ANOMALOUS draws a test set, with a seed that no training uses.
draw() {
	[[ -d $work/sets/$1 ]] || "$program" data synth "$work/sets/$1" --set "$2" --normal "$3" --anomalous "$4" --seed 77 --quiet
}

# link FOLDER KIND makes a set of the good magnetic tiles and those with one kind of defect, or all.
link() {
	local set=$work/sets/magnetic-$2/magnetic_tile kinds=("$2") kind
	[[ $2 != all ]] || kinds=(blowhole break crack fray uneven)
	mkdir -p "$set/test" "$set/ground_truth"
	for kind in good "${kinds[@]}"; do ln -sfn "$1/magnetic_tile/test/$kind" "$set/test/$kind"; done
	for kind in "${kinds[@]}"; do ln -sfn "$1/magnetic_tile/ground_truth/$kind" "$set/ground_truth/$kind"; done
}

main() {
	work=$1
	local python=$2 magnetic=${3:+$(realpath "$3")} clip=${FROM:-builtin:tiny} folder=${FROM:-$here/../../pkg/builtin/tiny}
	mkdir -p "$work/sets"
	draw seen-textures seen-textures 6 10
	draw seen-objects seen-objects 6 10
	draw textures textures 40 40
	draw objects objects 40 40
	draw novel novel 40 40
	local sets=("$work"/sets/{seen-textures,seen-objects,textures,objects,novel}) targets=()
	if [[ -n $magnetic ]]; then
		local kind
		for kind in all blowhole break crack fray uneven; do
			link "$magnetic" "$kind"
			sets+=("$work/sets/magnetic-$kind")
		done
	fi
	for set in "${sets[@]}"; do targets+=(--target "$(basename "$set")=$set"); done

	local checkpoints=()
	for seed in "${seeds[@]}"; do
		checkpoints+=(--checkpoint "$("$here/adapters.sh" "$clip" "$work" "$seed")")
	done
	"$program" eval --clip "$clip" "${checkpoints[@]}" "${targets[@]}" --out "$work/eval" --overwrite --quiet >/dev/null
	"$python" "$here/evaluate.py" "$folder" --data "${sets[@]}" --size 112 --json "$work/frozen.json" >"$work/frozen.txt"
	"$python" "$here/tabulate.py" "$work/frozen.json" "$work/eval"
}

main "$@"
