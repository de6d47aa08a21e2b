#!/usr/bin/env bash
# Runs the program's main commands from end to end on synthetic pictures:
# scripts/demo.sh [PROGRAM]. All files are in build/demo, which is recreated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

program=$(realpath "${1:-bin/acdclip}")
readonly program folder=build/demo

tell() { printf '\n%s\n' "$@"; }

# run ARGUMENT... prints and runs a command of the program.
run() {
	printf '\n$ acdclip %s\n' "$*"
	"$program" "$@" 2>&1
}

main() {
	[[ -x $program ]] || die "the program $program does not exist: run \`make build\`"
	rm -rf "$folder"
	mkdir -p "$folder"
	cd "$folder"

	tell "1. Pictures of five surfaces are drawn, some with a defect. The built-in model has never seen these surfaces."
	run data synth surfaces --set textures --normal 10 --anomalous 15 --size 192

	tell "2. A folder is scored with the built-in model, and a heat map is drawn for each picture."
	run predict surfaces/brushed_metal/test --class "brushed metal" --heatmaps --out out

	tell "3. All surfaces are scored and compared with their labels and masks."
	run eval --target surfaces --out eval

	tell "4. New adapters are trained for the built-in CLIP, on other surfaces, for two epochs."
	run data synth others --set seen-textures --normal 2 --anomalous 6 --size 112
	run train --clip builtin:tiny --auxiliary others --set train.epochs=2 --set train.batch=12 --out run

	tell "5. The new adapters and the built-in ones are compared, on surfaces that neither saw."
	run eval --checkpoint run/last.safetensors --checkpoint builtin:tiny --target surfaces --out compare

	explain
}

explain() {
	cat <<-END

		What the numbers mean
		  image AUROC  how well the scores part pictures with a defect from those without:
		               100 is perfect, 50 is chance. image AP says the same with more weight
		               on the highest scores; chance is the share of defective pictures, 60 here.
		  pixel AUROC  the same for each pixel of the anomaly maps; pixel AP likewise, where
		               chance is the share of defective pixels, about 1 here.
		  F1-max       the best F1 (of precision and recall) that any threshold reaches.
		  pixel AUPRO  how much of each defect is found, large or small alike, at few
		               false alarms (at most 30 % of the normal pixels); chance is 15.
		The built-in model is small and has seen drawn pictures only (docs/builtin.md). A training
		of a minute does about as well as its adapters, trained for much longer. With a large CLIP
		(bin/acdclip weights fetch openai:ViT-L/14@336) and a dataset such as VisA to train on, the
		same commands do the real work.

		Where things are
		  $folder/surfaces, others           the pictures, with masks in ground_truth
		  $folder/out/predictions.csv        the scores of the folder
		  $folder/out/heatmaps               the heat maps; colorbar.png is their scale
		  $folder/eval, compare              results.json, results.csv and a score for each picture
		  $folder/run                        the training run; last.safetensors is the checkpoint
	END
}

main
