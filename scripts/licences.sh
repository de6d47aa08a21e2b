#!/usr/bin/env bash
# Copies the licences of all parts of the program into the given folder: this project's,
# Go's, those of each linked Go module (including gotorch, whose C++ part is in the native
# library, and the fonts of charts), and the credits of CLIP's merges table. libtorch's
# licences are beside libtorch.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

# linked_modules prints the path, version and folder of each linked module.
linked_modules() {
	go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/acdclip | sort -u
}

# copy_licences FROM TO fails if FROM contains no licence.
copy_licences() {
	local -a found=()
	mapfile -t found < <(find "$1" -maxdepth 1 -iname 'licen[cs]e*' -o -maxdepth 1 -iname 'copying*' -o -maxdepth 1 -iname 'notice*')
	((${#found[@]} > 0)) || die "no licence found in $1"
	mkdir -p "$2"
	cp -R "${found[@]}" "$2/"
}

main() {
	local to=$1 path version folder
	need go
	rm -rf "$to"
	mkdir -p "$to"
	cp LICENSE "$to/LICENSE"
	cp pkg/clip/tokenizer/CREDITS.md "$to/CLIP-merges-table.md"
	copy_licences "$(go env GOROOT)" "$to/go"
	while read -r path version folder; do
		copy_licences "$folder" "$to/$path@$version"
	done < <(linked_modules)
	chmod -R u+w,a+rX "$to"
}

main "$@"
