#!/usr/bin/env bash
# Measures the time and memory for listing a dataset of N pictures (default 1,000,000),
# half of them anomalous with a mask; all files are empty: bench/listing.sh [N]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly count=${1:-1000000} folder=build/bench/listing

make_files() {
	python3 - "$folder" "$count" <<-'PYTHON'
		import pathlib, sys
		root, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
		classes, half = 10, count // 2
		for number in range(count):
		    anomalous, at = divmod(number, half)
		    label = "crack" if anomalous else "good"
		    name = f"class_{at % classes:02}"
		    paths = [root / name / "test" / label / f"{at:07}.png"]
		    if anomalous:
		        paths.append(root / name / "ground_truth" / label / f"{at:07}_mask.png")
		    for path in paths:
		        if at < classes:
		            path.parent.mkdir(parents=True, exist_ok=True)
		        path.touch()
	PYTHON
}

main() {
	[[ -x bin/acdclip ]] || make build
	rm -rf "$folder"
	mkdir -p "$folder"
	trap 'rm -rf "$folder"' EXIT
	echo "creating $count empty pictures and $((count / 2)) masks ..."
	make_files
	python3 - "$folder" <<-'PYTHON'
		import resource, subprocess, sys, time
		start = time.time()
		subprocess.run(["bin/acdclip", "data", "list", "big=" + sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
		seconds = time.time() - start
		peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
		print(f"acdclip data list: {seconds:.1f} s, at most {peak:.0f} MiB")
	PYTHON
}

main
