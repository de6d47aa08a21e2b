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

	tell "1. Two small datasets are drawn, with no class in common: surfaces to train on, objects to test on."
	run data synth textures --set textures --normal 8 --anomalous 8 --size 128
	run data synth objects --set objects --normal 8 --anomalous 8 --size 128

	tell "2. A tiny CLIP is made. Its values are random: it has never seen a picture or a word."
	run weights init clip

	tell "3. ACD-CLIP's adapters are trained on the surfaces."
	run train --clip clip --auxiliary textures --set model.image_size=112 --set train.epochs=3 --out run

	tell "4. The objects, none of which the training saw, are scored and compared with their labels and masks."
	run eval --clip clip --checkpoint run/last.safetensors --target objects --out eval

	tell "5. A folder of pictures is scored, and a heat map is drawn for each."
	run predict --clip clip --checkpoint run/last.safetensors --class bolt --heatmaps --out out objects/hex_bolt/test

	explain
}

explain() {
	cat <<-END

		What the numbers mean
		  image AUROC  how well the scores part pictures with a defect from those without:
		               100 is perfect, 50 is chance. image AP says the same with more weight
		               on the highest scores; chance is the share of defective pictures, 50 here.
		  pixel AUROC  the same for each pixel of the anomaly maps; pixel AP likewise, where
		               chance is the share of defective pixels, about 1 here.
		  F1-max       the best F1 (of precision and recall) that any threshold reaches.
		  pixel AUPRO  how much of each defect is found, large or small alike, at few
		               false alarms (at most 30 % of the normal pixels); chance is 15.
		A random CLIP knows nothing of pictures or words, so numbers near chance are what is
		to be expected here: this shows that every part works, not how well the method does.
		With OpenAI's ViT-L-14-336px.pt in the place of the folder clip, and a dataset such as
		VisA to train on, the same commands do the real work.

		Where things are
		  $folder/textures, objects          the pictures, with masks in ground_truth
		  $folder/run                        the training run; last.safetensors is the checkpoint
		  $folder/eval                       results.json, results.csv and a score for each picture
		  $folder/out/predictions.csv        the scores of the folder
		  $folder/out/heatmaps               the heat maps; colorbar.png is their scale
	END
}

main
