#!/usr/bin/env bash
# Trains and evaluates the four rows of the paper's Table 2 and prints one table
# with the paper's figures beside:
#
#   scripts/ablation.sh CLIP VISA MVTEC [FOLDER]
#
# CLIP is the weights, VISA and MVTEC the datasets' folders, FOLDER (runs/ablation)
# where runs and results go. Stopped, it goes on where it was when it is called again.
#
# SEEDS="0 1 2" trains each row with several seeds; the table then has means and
# standard deviations. Any setting can be given in the environment, as in
# ACDCLIP_TRAIN_EPOCHS=5 or ACDCLIP_MODEL_IMAGE_SIZE=98.
set -euo pipefail

if (($# < 3 || $# > 4)); then
	sed -n '2,/^set/{s/^# \{0,1\}//;/^set/!p}' "$0" >&2
	exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly here program=${ACDCLIP:-$here/bin/acdclip} rows=(lora_static conv_lora_static lora_dfg conv_lora_dfg)
readonly clip=$1 visa=$2 mvtec=$3 folder=${4:-runs/ablation}

checkpoints=()
for row in "${rows[@]}"; do
	for seed in ${SEEDS:-0}; do
		run=$folder/$row-seed$seed
		"$program" train --config "$here/configs/ablation/$row.yaml" --clip "$clip" --auxiliary "visa=$visa" --seed "$seed" --out "$run" --resume
		checkpoints+=(--checkpoint "$run/last.safetensors")
	done
done
results=$folder/eval # of other seeds beside it
if [[ ${SEEDS:-0} != 0 ]]; then results+=-seeds-$(printf '%s' "$SEEDS" | tr -s ' ' -); fi
"$program" eval --clip "$clip" --target "mvtec=$mvtec" "${checkpoints[@]}" --out "$results" --resume
