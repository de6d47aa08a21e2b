#!/usr/bin/env bash
# Runs every fuzz target for the given time, one after the other, for example
# `scripts/fuzz.sh 10s`. Go saves failing inputs below the package's testdata/fuzz, where
# they become test cases. After a failure, the other targets still run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# targets prints the folder and name of each fuzz target.
targets() {
	grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . |
		sed -E 's|^(.*)/[^/]+_test\.go:func (.*)$|\1 \2|' | sort
}

# fuzz FOLDER TARGET TIME runs one target. Go's fuzzer sometimes reports its own deadline
# as a failure, without a failing input: then the target runs again.
fuzz() {
	# Minimising an input that only adds coverage can take the whole time.
	local -a command=(go test -run '^$' -fuzz "^$2\$" -fuzztime "$3" -fuzzminimizetime 1s "$1")
	local output
	if output=$("${command[@]}" 2>&1); then return; fi
	if [[ $output == *"context deadline exceeded"* && $output != *"Failing input"* ]] && output=$("${command[@]}" 2>&1); then return; fi
	printf '%s\n' "$output"
	return 1
}

main() {
	local time=${1:?how long, as in 10s} folder target failed=0 count=0 output
	while read -r folder target; do
		count=$((count + 1))
		if output=$(fuzz "$folder" "$target" "$time"); then
			printf 'ok      %s %s\n' "$folder" "$target"
		else
			printf 'FAIL    %s %s\n%s\n' "$folder" "$target" "$output"
			failed=$((failed + 1))
		fi
	done < <(targets)
	printf '%d fuzz targets ran for %s each, %d failed\n' "$count" "$time" "$failed"
	((count > 0 && failed == 0))
}

main "$@"
