#!/usr/bin/env bash
# Builds what the program loads at run time: build/current/libacdclip_native.so,
# gotorch's C++ half and our own functions, against the libtorch that
# get-libtorch.sh gives. build/current/libtorch.path names the folder of that
# libtorch's libraries. With nothing changed it builds nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

readonly compiler=${CXX:-g++}

# jobs: one a processor, but no more than memory allows: a compiler that reads
# libtorch's headers takes up to 1.5 GB.
jobs() {
	local processors memory
	processors=$(nproc)
	memory=$(awk '$1 == "MemAvailable:" {print int($2 / 1500000)}' /proc/meminfo)
	echo "$((memory < 1 ? 1 : memory < processors ? memory : processors))"
}

# in_build FOLDER: as seen from build/native-*, where it lies in build; so that a
# moved checkout still works.
in_build() {
	case $1 in
	build/*) echo "../${1#build/}" ;;
	*) echo "$1" ;;
	esac
}

# replace FILE with standard input, at once, if it would change.
replace() {
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

# native_make ARGUMENT...: native.mk, apart from the make that may run this script.
native_make() {
	env -u MAKEFLAGS make -s --no-print-directory -f scripts/native.mk \
		NATIVE="$folder" TORCH="$torch" GOTORCH="$gotorch" CXX="$compiler" "$@"
}

main() {
	need make go sha256sum "$compiler" ld
	need_new_go
	lock
	local torch gotorch version key folder started
	torch=$(scripts/get-libtorch.sh)
	version=$(scripts/libtorch-version.sh "$torch")
	gotorch=$(scripts/gotorch.sh)
	key=$({ "$compiler" --version; echo "$gotorch $torch"; cat scripts/native.mk; } | sha256sum)
	folder=build/native-$version-${key::8}
	mkdir -p "$folder"
	if ! native_make -q; then
		started=$SECONDS
		say "compiling the native part against libtorch $version (a minute) ..."
		native_make -j "$(jobs)" ||
			die "the native part does not compile against the libtorch in $torch; the compiler's messages are above"
		say "compiled in $((SECONDS - started)) s"
	fi
	in_build "$torch/lib" | replace "$folder/libtorch.path"
	[[ $(readlink build/current) == "${folder#build/}" ]] || ln -sfn "${folder#build/}" build/current
}

main
