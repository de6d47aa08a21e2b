#!/usr/bin/env bash
# Compares the time of pkg/metrics with torchmetrics, scikit-learn and NumPy, and checks
# that its memory stays within limits: bench/metrics.sh [ratios|memory]
#
# ratios: 10 million samples against torchmetrics and scikit-learn, and AUPRO of 100 maps
#         against the NumPy and SciPy implementation; both sides are timed alternately.
# memory: 300 million synthetic pixels with 5 GB, 1 GB and 256 MB give the same bits.
#
# The other libraries are installed below build/, including torch (a few GB).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=build/bench peers=build/bench/metrics-venv program=build/bench/metrics

install_peers() {
	[[ -x $peers/bin/python ]] || python3 -m venv "$peers"
	"$peers/bin/pip" install --quiet --disable-pip-version-check \
		torch==2.11.0 torchmetrics==1.9.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
}

ratios() {
	install_peers
	local inputs
	inputs=$(mktemp -d "$folder/inputs.XXXX")
	# shellcheck disable=SC2064 # expands the folder's name now
	trap "rm -rf '$inputs'" EXIT
	"$peers/bin/python" bench/metrics.py "$program" "$inputs"
}

memory() {
	local limit reports=$folder/reports
	for limit in 5000 1000 256; do
		"$program" drawn 300000000 "${limit}000000" "$folder"
	done >"$reports"
	python3 - "$reports" <<-'PYTHON'
		import json, sys
		reports = [json.loads(line) for line in open(sys.argv[1])]
		for limit, report in zip((5000, 1000, 256), reports):
		    seconds, peak = report["Seconds"], report["Peak"] / 1e6
		    print(f"300 million pixels within {limit} MB: {seconds:.1f} s, at most {peak:.0f} MB")
		    assert peak <= limit, "too much"
		    assert report["Result"] == reports[0]["Result"], "other bits"
		print("the same bits:", json.dumps(reports[0]["Result"]))
	PYTHON
}

mkdir -p "$folder"
CGO_ENABLED=0 go build -o "$program" ./bench/metrics
case ${1:-all} in
ratios) ratios ;;
memory) memory ;;
all) ratios && memory ;;
*) echo "usage: bench/metrics.sh [ratios|memory]" >&2 && exit 2 ;;
esac
