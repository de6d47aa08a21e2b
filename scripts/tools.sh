#!/usr/bin/env bash
# `scripts/tools.sh go g++ ...` prints one line for each tool that is missing on this
# machine, and fails if any is missing. The other scripts source this file.

die() {
	printf 'acdclip: %s\n' "$*" >&2
	exit 1
}

say() {
	printf '%s\n' "$*" >&2
}

# advice TOOL prints how to install it.
advice() {
	case $1 in
	go) echo "install Go 1.26 or newer and put its bin folder on the PATH" ;;
	pip) echo "install it, for example \`apt-get install python3-pip\`" ;;
	ar | ld) echo "install it, for example \`apt-get install binutils\`" ;;
	sha256sum) echo "install it, for example \`apt-get install coreutils\`" ;;
	*) echo "install it, for example \`apt-get install $1\`" ;;
	esac
}

present() {
	case $1 in
	pip) python3 -m pip --version >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# need TOOL... exits with one message for each missing tool.
need() {
	local tool missing=0
	for tool in "$@"; do
		if ! present "$tool"; then
			say "acdclip: $tool is missing: $(advice "$tool")"
			missing=1
		fi
	done
	[[ $missing == 0 ]] || exit 1
}

# need_new_go fails for a Go before 1.21, which cannot read this go.mod and gives unclear
# errors; later versions download the version in go.mod.
need_new_go() {
	local version
	version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || version=$(go version | awk '{print $3}')
	if [[ $version =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] < 21)); then
		die "the Go version $version is too old: $(advice go)"
	fi
}

# lock waits until another build in this checkout ends. The lock lasts until the script ends.
lock() {
	mkdir -p build
	command -v flock >/dev/null || return 0
	exec 9>build/lock
	flock --nonblock 9 && return
	say "waiting for another build in this checkout ..."
	flock 9
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	set -euo pipefail
	need "$@"
	for tool in "$@"; do
		if [[ $tool == go ]]; then need_new_go; fi
	done
fi
