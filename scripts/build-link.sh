#!/usr/bin/env bash
# Builds build/link: what Go programs are linked with instead of libtorch (see
# cgo/native/trampolines.c). It needs no libtorch. The empty archives answer the
# linker flags that gotorch's sources carry. With nothing changed it builds nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

readonly compiler=${CC:-gcc} out=build/link
readonly sources=(cgo/torch/native.h cgo/native/trampolines.c cgo/native/trampolines/main.go cgo/native/trampolines/header.go)

# archive NAME OBJECT...: $out/NAME, whole or not at all.
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
		# cgotorch.h and torchdef.h: the first includes the others, the second is for its own C++ half.
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
