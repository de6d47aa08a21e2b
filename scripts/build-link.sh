#!/usr/bin/env bash
# Builds build/link, the library that Go programs are linked with instead of libtorch (see
# cgo/native/trampolines.c). It does not need libtorch. The empty archives satisfy the
# linker flags in gotorch's sources. It does nothing if nothing has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

readonly compiler=${CC:-gcc} out=build/link
readonly sources=(cgo/torch/native.h cgo/native/trampolines.c cgo/native/trampolines/main.go cgo/native/trampolines/header.go)

# archive NAME OBJECT... writes $out/NAME atomically.
archive() {
	local name=$1
	shift
	rm -f "$out/$name.part"
	ar rcsD "$out/$name.part" "$@"
	mv "$out/$name.part" "$out/$name"
}

main() {
	need go "$compiler" ar sha256sum
	need_new_go
	lock
	local gotorch stamp
	gotorch=$(scripts/gotorch.sh)
	stamp=$({ "$compiler" --version; echo "$gotorch"; cat "${sources[@]}" "${BASH_SOURCE[0]}"; } | sha256sum)
	if [[ $(cat "$out/stamp" 2>/dev/null) == "$stamp" ]]; then return; fi
	mkdir -p "$out"
	local -a headers=()
	local header
	for header in "$gotorch"/cgotorch/*.h; do
		# Skip cgotorch.h, which includes the others, and torchdef.h, which is for gotorch's C++ part.
		case ${header##*/} in cgotorch.h | torchdef.h) ;; *) headers+=("$header") ;; esac
	done
	go run ./cgo/native/trampolines -o "$out/slots.inc" "${headers[@]}" cgo/torch/native.h
	"$compiler" -O2 -fPIC -Wall -Wextra -I"$out" -c -o "$out/trampolines.o" cgo/native/trampolines.c
	archive libcgotorch.a "$out/trampolines.o"
	archive libc10.a
	archive libtorch.a
	archive libtorch_cpu.a
	echo "$stamp" >"$out/stamp"
}

main
