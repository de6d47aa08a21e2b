#!/usr/bin/env bash
# Run as `scripts/tools.sh go g++ ...`, it says what is missing on this machine,
# one line for each tool, and fails if anything is. The other scripts source it.

die() {
	printf 'acdclip: %s\n' "$*" >&2
	exit 1
}

say() {
	printf '%s\n' "$*" >&2
}

# advice TOOL: how to get it.
advice() {
	case $1 in
	go) echo "install Go 1.26 or newer and put its bin folder on the PATH" ;;
	pip) echo "install it, e.g. \`apt-get install python3-pip\`" ;;
	ar | ld) echo "install it, e.g. \`apt-get install binutils\`" ;;
	sha256sum) echo "install it, e.g. \`apt-get install coreutils\`" ;;
	*) echo "install it, e.g. \`apt-get install $1\`" ;;
	esac
}

present() {
	case $1 in
	pip) python3 -m pip --version >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# need TOOL...: ends with one message for each tool that is missing.
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

# need_new_go: a Go before 1.21 cannot read this go.mod and says so in riddles;
# a later one fetches the version that go.mod names.
need_new_go() {
	local version
	version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || version=$(go version | awk '{print $3}')
	if [[ $version =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] < 21)); then
		die "Go is $version, which is too old: $(advice go)"
	fi
}

# lock waits for another build in this checkout; it lasts as long as the script.
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
