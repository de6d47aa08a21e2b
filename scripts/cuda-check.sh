#!/usr/bin/env bash
# Checks acdclip on a machine with a GPU, where it cannot be built:
#
#   scripts/cuda-check.sh pack FILE.tar[.gz]    here: build, and collect what the check needs
#   scripts/cuda-check.sh run [--device cuda|cpu] [--tiny] [--minutes N] FOLDER    there
#
# The file is at most 64 MiB. Unpack it there and start `run` from its folder. There it needs
# a Python with torch 2.11, whose libtorch it uses ($PYTHON, else python3), and numpy; the
# comparison with PyTorch's own results also needs safetensors and Pillow.
#
# `run` writes FOLDER/report.md, report.json and log.txt, and adds to them as it goes. It ends
# after N minutes (10), whatever is left. Its exit status is 1 if a part failed or a bound was
# missed. --tiny takes a tiny CLIP instead of ViT-L/14 at 518 pixels; with --device cpu, which
# tries the check itself, it is always on.
#
# Inputs (a random ViT-L/14 of 860 MB, and pictures) are made there in a temporary folder
# ($TMPDIR), which is removed at the end.
set -euo pipefail

readonly largest=$((64 << 20)) # bytes of the file

usage() {
	sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
	exit 2
}

# collect FOLDER fills the folder of the archive.
collect() {
	local to=$1 golden=testdata/golden native=build/current/libacdclip_native.so
	mkdir -p "$to/bin" "$to/build/current" "$to/scripts" "$to/$golden"
	[[ -f $native ]] || make build
	[[ -n ${CGO_LDFLAGS:-} ]] || eval "$(make -s env)"
	go build -buildvcs=false -ldflags "-s -w -X main.version=$(git describe --tags --always --dirty)" -o "$to/bin/acdclip" ./cmd/acdclip
	go build -buildvcs=false -ldflags '-s -w' -o "$to/bin/inputs" ./bench/train
	strip -o "$to/build/current/libacdclip_native.so" "$native"
	cp -r scripts/cuda-check.sh scripts/cudacheck scripts/reference "$to/scripts"
	find "$to/scripts" -name __pycache__ -prune -exec rm -r {} +
	cp "$golden"/{clip_tiny_openai.pt,released_n3_adapter_1.pth,tokens.json} "$to/$golden"
}

pack() {
	[[ $# == 1 ]] || usage
	local file stage bytes
	file=$(realpath -m "$1")
	cd "$(dirname "${BASH_SOURCE[0]}")/.."
	stage=$(mktemp -d)
	# shellcheck disable=SC2064 # the folder's name is known now, and not at the end
	trap "rm -rf '$stage'" EXIT
	collect "$stage/cuda-check"
	tar -C "$stage" -caf "$stage/${file##*/}" cuda-check
	bytes=$(stat -c %s "$stage/${file##*/}")
	if ((bytes > largest)); then
		echo "the archive has $bytes bytes, more than the $largest that can travel; its largest files:" >&2
		(cd "$stage" && find cuda-check -type f -printf '%s %p\n' | sort -rn | head -5) >&2
		exit 1
	fi
	mv "$stage/${file##*/}" "$file"
	echo "$file: $((bytes >> 20)) MiB; there: tar -xf ${file##*/} && cuda-check/scripts/cuda-check.sh run FOLDER"
}

# run starts scripts/cudacheck, which finds libtorch in Python's torch folder.
run() {
	local root python=${PYTHON:-python3}
	root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
	exec "$python" "$root/scripts/cudacheck/check.py" "$@"
}

case ${1:-} in
pack | run) "$@" ;;
*) usage ;;
esac
