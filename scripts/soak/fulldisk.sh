#!/usr/bin/env bash
# Trains on file systems of 0.5 to 4.5 MB until they are full, then resumes with enough
# space: the result must have the same bytes as that of an uninterrupted run. It mounts a
# tmpfs, so it needs Linux and root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly folder=$PWD/build/soak/fulldisk

main() {
	[[ -x bin/acdclip ]] || make build
	rm -rf "$folder"
	mkdir -p "$folder/disk"
	export ACDCLIP_DEVICE=cpu ACDCLIP_THREADS=1
	local train=(bin/acdclip train --clip "$folder/clip" --auxiliary "$folder/drawn" --quiet
		--set model.image_size=42 --set model.groups=2 --set train.batch=5 --set train.epochs=3 --set train.validate=1)
	bin/acdclip weights init "$folder/clip" >"$folder/messages" 2>&1
	bin/acdclip data synth "$folder/drawn" --set textures --normal 2 --anomalous 3 --size 64 --quiet
	"${train[@]}" --out "$folder/whole"
	local size minutes status file
	for size in 500 1000 1500 2000 2500 2700 3000 3500 4000 4500; do for minutes in 0 10; do
		mount -t tmpfs -o "size=${size}k" tmpfs "$folder/disk"
		trap 'umount "$folder/disk"' EXIT
		status=0
		"${train[@]}" --set "train.save_minutes=$minutes" --out "$folder/disk/run" 2>"$folder/messages" || status=$?
		echo "== $size kB, a state every $minutes minutes: exit status $status"
		sed 's/^/   /' "$folder/messages"
		for file in "$folder"/disk/run/epoch-*.safetensors; do # existing files must be complete
			[[ ! -e $file ]] || cmp "$file" "$folder/whole/${file##*/}"
		done
		mount -o remount,size=20m "$folder/disk"
		"${train[@]}" --out "$folder/disk/run" --resume
		for file in "$folder"/whole/{epoch-,last,best}*.safetensors; do
			cmp "$file" "$folder/disk/run/${file##*/}"
		done
		echo "   resumed to the same bytes"
		umount "$folder/disk"
		trap - EXIT
	done; done
}

main "$@"
