#!/usr/bin/env bash
# Builds the library that the program loads at run time,
# build/current/libacdclip_native.so, from gotorch's C++ part and our own functions, against
# the libtorch of get-libtorch.sh. build/current/libtorch.path contains the folder of that
# libtorch's libraries. It does nothing if nothing has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

readonly compiler=${CXX:-g++}

# jobs prints the number of parallel jobs: one per processor, limited by memory, because
# a compiler that reads libtorch's headers needs up to 1.5 GB.
jobs() {
	local processors memory
	processors=$(nproc)
	memory=$(awk '$1 == "MemAvailable:" {print int($2 / 1500000)}' /proc/meminfo)
	echo "$((memory < 1 ? 1 : memory < processors ? memory : processors))"
}

# in_build FOLDER prints FOLDER relative to build/native-* if it is inside build, so that
# the checkout can be moved.
in_build() {
	case $1 in
	build/*) echo "../${1#build/}" ;;
	*) echo "$1" ;;
	esac
}

# replace FILE atomically replaces FILE by standard input, if the content differs.
replace() {
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

# native_make ARGUMENT... runs native.mk, independent of a make that runs this script.
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
			die "the native part does not compile against the libtorch in $torch; see the compiler's messages above"
		say "compiled in $((SECONDS - started)) s"
	fi
	in_build "$torch/lib" | replace "$folder/libtorch.path"
	[[ $(readlink build/current) == "${folder#build/}" ]] || ln -sfn "${folder#build/}" build/current
}

main
