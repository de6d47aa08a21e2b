#!/usr/bin/env bash
# Runs `acdclip serve` beside good and bad clients for 60 s, or another time of at least 40 s
# with scripts/soak/serve.sh SECONDS, and checks that the good ones notice nothing.
#
# Bad clients send broken pictures, a byte a second, half a body, headers of pictures of
# billions of pixels, and small bodies that expand to much; they hang up, and open 10,000
# connections at once, or as many as the system lets wait. The service reloads its files
# every 3 s. All good pictures must get the scores from before (to the bit; within 1e-5 with
# BATCH=N pictures a batch), memory must stay flat, goroutines and open files must return to
# what they were, and the service must end with status 0.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly folder=build/soak/serve

main() {
	[[ -x bin/acdclip ]] || make build
	mkdir -p "$folder"
	local wanted=11000 # by one program: the 10,000 connections and some more
	ulimit -n "$(ulimit -Hn)"
	[[ $(ulimit -n) == unlimited || $(ulimit -n) -ge $wanted ]] ||
		echo "only $(ulimit -n) files may be open, not $wanted: fewer connections can open" >&2
	local size
	for size in 128 500 900; do
		[[ -d $folder/$size ]] ||
			bin/acdclip data synth "$folder/$size" --set textures --size "$size" --normal 1 --anomalous 1 --quiet
	done
	go build -o "$folder/clients" ./scripts/soak/serve
	"$folder/clients" bin/acdclip "127.0.0.1:$(free_port)" "$folder/log" "${1:-60}" "${BATCH:-1}" \
		"$folder"/*/*/test/*/*.png
}

# free_port prints a port that nothing uses.
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

main "$@"
