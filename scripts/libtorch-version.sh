#!/usr/bin/env bash
# Prints the version (such as 2.11.0) of the libtorch in the given folder, from its headers.
set -euo pipefail

root=$1
for header in headeronly/version.h csrc/api/include/torch/version.h; do
	version=$(awk '$1 == "#define" && $2 ~ /^TORCH_VERSION_(MAJOR|MINOR|PATCH)$/ {printf "%s%s", dot, $3; dot = "."}' \
		"$root/include/torch/$header" 2>/dev/null) || continue
	if [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
		echo "$version"
		exit
	fi
done
printf 'acdclip: %s: no version found in include/torch\n' "$root" >&2
exit 1
