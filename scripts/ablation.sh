#!/usr/bin/env bash
# Trains and evaluates the four rows of the paper's Table 2 and prints one table with the
# paper's values for comparison:
#
#   scripts/ablation.sh CLIP VISA MVTEC [FOLDER]
#
# CLIP is the weight file, folder or name, VISA and MVTEC are the datasets' folders, and
# FOLDER is the output folder (default runs/ablation). Datasets other than VisA and MVTec are
# given as NAME=PATH. If it was interrupted, call it again to resume.
#
# SEEDS="0 1 2" trains each row with several seeds; the table then shows means and standard
# deviations. Any setting can be set in the environment, for example
# ACDCLIP_TRAIN_EPOCHS=5 or ACDCLIP_MODEL_IMAGE_SIZE=98.
set -euo pipefail

if (($# < 3 || $# > 4)); then
	sed -n '2,/^set/{s/^# \{0,1\}//;/^set/!p}' "$0" >&2
	exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly here program=${ACDCLIP:-$here/bin/acdclip} rows=(lora_static conv_lora_static lora_dfg conv_lora_dfg)
auxiliary=$2 target=$3
[[ $auxiliary == *=* && ! -d $auxiliary ]] || auxiliary=visa=$auxiliary
[[ $target == *=* && ! -d $target ]] || target=mvtec=$target
readonly clip=$1 auxiliary target folder=${4:-runs/ablation}

checkpoints=()
for row in "${rows[@]}"; do
	for seed in ${SEEDS:-0}; do
		run=$folder/$row-seed$seed
		"$program" train --config "$here/configs/ablation/$row.yaml" --clip "$clip" --auxiliary "$auxiliary" --seed "$seed" --out "$run" --resume
		checkpoints+=(--checkpoint "$run/last.safetensors")
	done
done
results=$folder/eval # other seeds use another folder beside it
if [[ ${SEEDS:-0} != 0 ]]; then results+=-seeds-$(printf '%s' "$SEEDS" | tr -s ' ' -); fi
"$program" eval --clip "$clip" --target "$target" "${checkpoints[@]}" --out "$results" --resume
