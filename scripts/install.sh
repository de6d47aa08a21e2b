#!/usr/bin/env bash
# Installs the output of `make build` below the given folder: bin/acdclip; in lib/acdclip
# our native library and, if it was downloaded, libtorch with its licences; in
# share/acdclip the example configurations; in share/doc/acdclip the licences of all
# installed parts. A libtorch of your own stays in its folder and is referenced by path.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

main() {
	local prefix=$1 native=build/current libraries
	local lib=$prefix/lib/acdclip
	libraries=$(<"$native/libtorch.path")
	mkdir -p "$prefix/bin" "$lib" || die "cannot write below $prefix: give another folder, for example \`make install PREFIX=\$HOME/.local\`"
	install -m 755 bin/acdclip "$prefix/bin/acdclip"
	mkdir -p "$prefix/share/acdclip"
	cp -R configs "$prefix/share/acdclip/"
	scripts/licences.sh "$prefix/share/doc/acdclip/licences"
	install -m 644 "$native/libacdclip_native.so" "$lib/libacdclip_native.so"
	if [[ $libraries == /* ]]; then
		echo "$libraries" >"$lib/libtorch.path"
		return
	fi
	local fetched=$native/${libraries%/torch/lib}
	rm -rf "$lib/libtorch"
	mkdir -p "$lib/libtorch/torch"
	cp -R "$fetched/nvidia" "$fetched"/*.dist-info "$lib/libtorch/"
	cp -R "$fetched/torch/lib" "$lib/libtorch/torch/"
	echo libtorch/torch/lib >"$lib/libtorch.path"
}

main "$@"
say "installed $1/bin/acdclip; example configurations are in $1/share/acdclip/configs"
