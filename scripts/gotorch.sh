#!/usr/bin/env bash
# Prints the folder of gotorch's sources in Go's module cache, and downloads them if
# needed. Only Go writes to that folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

readonly module=github.com/wangkuiyi/gotorch

folder=$(go list -m -f '{{.Dir}}' "$module")
if [[ -z $folder ]]; then
	go mod download "$module" >&2 ||
		die "could not download $module: check the network and Go's settings (go env GOPROXY), and run this again"
	folder=$(go list -m -f '{{.Dir}}' "$module")
fi
echo "$folder"
