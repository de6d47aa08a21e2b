#!/usr/bin/env bash
# Finds or downloads libtorch, and prints the folder that contains its lib and include.
#
# The order is: $LIBTORCH; the torch of the Python on the PATH, if it has the pinned minor
# version; the pinned wheel, downloaded with pip into build/. --prefer-wheel skips the
# Python's torch. Messages go to stderr.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh
# shellcheck source=scripts/versions.env
source scripts/versions.env

readonly instead="or set LIBTORCH to the folder of a libtorch that you have"
readonly unpacked=build/libtorch-$TORCH_VERSION

# has_libtorch FOLDER succeeds if FOLDER contains libtorch's libraries and headers.
has_libtorch() {
	[[ -f $1/lib/libtorch_cpu.so && -f $1/include/torch/csrc/api/include/torch/torch.h ]]
}

# at_least VERSION MINIMUM compares versions such as 2.11.0 and 2.6.
at_least() {
	[[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]
}

# check_given FOLDER fails with a message if $LIBTORCH is not suitable for building.
check_given() {
	[[ -d $1 ]] || die "LIBTORCH is $1, which is not an existing folder"
	has_libtorch "$1" ||
		die "LIBTORCH is $1, which lacks lib/libtorch_cpu.so or include/torch: give the folder that contains libtorch's lib and include"
	local version
	version=$(scripts/libtorch-version.sh "$1")
	at_least "$version" "$LIBTORCH_MINIMUM" ||
		die "LIBTORCH is $1, which has the version $version: acdclip needs libtorch $LIBTORCH_MINIMUM or newer"
	# With the old C++ ABI, the names of functions with strings lack this mark.
	grep -q _ZN3c105ErrorC2ENS_14SourceLocationENSt7__cxx1112basic_string "$1/lib/libc10.so" ||
		die "LIBTORCH is $1, which was built for the old C++ ABI: use a libtorch build with the cxx11 ABI"
}

# python_torch prints the folder of Python's torch, without importing it.
python_torch() {
	command -v python3 >/dev/null || return 1
	python3 - <<-'PYTHON' 2>/dev/null
		import importlib.util
		print(importlib.util.find_spec("torch").submodule_search_locations[0])
	PYTHON
}

# matches_pin FOLDER succeeds if the installed torch has the pinned minor version and its
# libraries match its package's RECORD.
matches_pin() {
	local version
	has_libtorch "$1" || return 1
	version=$(scripts/libtorch-version.sh "$1" 2>/dev/null) || return 1
	[[ ${version%.*} == "${TORCH_VERSION%.*}" ]] && is_as_recorded "$1"
}

# is_as_recorded FOLDER succeeds if the libraries of an installed torch have the checksums
# in its package's RECORD. They are read once, and again if they change.
is_as_recorded() {
	local stamp build
	stamp=$(stat -c '%n %s %Y %i' "$1/lib/libtorch_cpu.so" "$1/lib/libc10.so" "$1/lib/libtorch.so" 2>/dev/null || true)
	mkdir -p build
	if [[ -f build/installed-torch && $(<build/installed-torch) == "$stamp" ]]; then return; fi
	if ! build=$(check_record "$1"); then
		say "the installed torch in $1 is not used: $build"
		return 1
	fi
	printf '%s\n' "$stamp" >build/installed-torch
	say "using the installed torch $build in $1, whose libraries are those of its package's record"
}

# check_record FOLDER prints the version and build of an installed torch. If its libraries
# differ from its RECORD, it prints the problem and fails.
check_record() {
	python3 - "$1" <<-'PYTHON'
		import base64, csv, glob, hashlib, os, re, sys
		folder = sys.argv[1]
		above = os.path.dirname(folder)
		records = glob.glob(os.path.join(above, "torch-*.dist-info", "RECORD"))
		if len(records) != 1:
		    sys.exit(print("its package has no RECORD of its files (it may have been built from source); LIBTORCH=%s uses it all the same" % folder) or 1)
		sums = {row[0]: row[1] for row in csv.reader(open(records[0], encoding="utf-8")) if len(row) > 1}
		for name in ("libtorch_cpu.so", "libc10.so", "libtorch.so"):
		    path = os.path.join(folder, "lib", name)
		    if not os.path.exists(path) and "torch/lib/" + name not in sums:
		        continue
		    sum = hashlib.sha256()
		    with open(path, "rb") as file:
		        while block := file.read(1 << 22):
		            sum.update(block)
		    want = "sha256=" + base64.urlsafe_b64encode(sum.digest()).rstrip(b"=").decode()
		    if sums.get("torch/lib/" + name) != want:
		        sys.exit(print("lib/%s is not the file that its package's RECORD names; install torch anew" % name) or 1)
		version = re.search(r"torch-(.*)\.dist-info", records[0]).group(1)
		text = open(os.path.join(folder, "version.py"), encoding="utf-8").read()
		git = re.search(r"git_version *= *'(\w+)'", text)
		print(version + (" (build %s)" % git.group(1)[:12] if git else ""))
	PYTHON
}

# download NAME VERSION WHEEL SHA256 SIZE downloads the wheel to build/download and verifies it.
download() {
	local name=$1 version=$2 wheel=build/download/$3 sha256=$4 size=$5 bar=off started=$SECONDS
	if [[ -f $wheel ]] && has_sum "$wheel" "$sha256"; then return; fi
	rm -f "$wheel"
	if [[ -t 2 ]]; then bar=on; fi
	say "downloading $name $version ($size MB) ..."
	local -a platforms=(--platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64
		--platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64)
	TMPDIR=$PWD/build/tmp python3 -m pip download "$name==$version" --dest build/download \
		--no-deps --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 "${platforms[@]}" \
		--no-cache-dir --disable-pip-version-check --no-input --quiet --progress-bar "$bar" 1>&2 ||
		die "could not download $name $version (see pip's message above). Check the network and pip's settings and run this again, $instead"
	[[ -f $wheel ]] || die "pip downloaded another file for $name $version than $3; see scripts/versions.env"
	if ! has_sum "$wheel" "$sha256"; then
		rm -f "$wheel"
		die "the download of $name $version does not have the sha256 pinned in scripts/versions.env and was removed: run this again; if that does not help, the package index has another file"
	fi
	say "downloaded and verified in $((SECONDS - started)) s"
}

has_sum() {
	[[ $(sha256sum <"$1") == "$2 "* ]]
}

# unpack WHEEL FOLDER PATTERN... extracts the members that match.
unpack() {
	python3 - "$@" <<-'PYTHON' || die "could not unpack $1 into $2"
		import fnmatch, sys, zipfile
		wheel, folder, patterns = sys.argv[1], sys.argv[2], sys.argv[3:]
		with zipfile.ZipFile(wheel) as archive:
		    for name in archive.namelist():
		        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
		            archive.extract(name, folder)
	PYTHON
}

need_space() {
	local free
	free=$(df -Pk build | awk 'NR == 2 {print int($4 / 1024)}')
	((free >= 1500)) || die "$PWD/build has $free MB of free disk space, but downloading libtorch needs 1500 MB. Free some space, $instead"
}

# fetch downloads libtorch and creates $unpacked atomically at the end.
fetch() {
	[[ $(uname -sm) == "Linux x86_64" ]] || die "libtorch can only be downloaded for Linux on x86-64, but this is $(uname -sm): set LIBTORCH to the folder of a libtorch for it"
	need python3 sha256sum
	need pip
	need_space
	local part=build/tmp/libtorch
	rm -rf build/tmp
	mkdir -p build/download "$part"
	download nvidia-cuda-runtime "$CUDART_VERSION" "$CUDART_WHEEL" "$CUDART_SHA256" 2
	download nvidia-cuda-cupti "$CUPTI_VERSION" "$CUPTI_WHEEL" "$CUPTI_SHA256" 11
	download torch "$TORCH_VERSION" "$TORCH_WHEEL" "$TORCH_SHA256" 531
	say "unpacking it ..."
	unpack "build/download/$CUDART_WHEEL" "$part" 'nvidia/cu13/lib/libcudart.so.*' '*/licenses/*'
	unpack "build/download/$CUPTI_WHEEL" "$part" 'nvidia/cu13/lib/libcupti.so.*' '*/licenses/*'
	unpack "build/download/$TORCH_WHEEL" "$part" 'torch/lib/libtorch_cpu.so' 'torch/lib/libc10.so' \
		'torch/lib/libgomp*' 'torch/include/*' '*/licenses/LICENSE' '*/licenses/NOTICE'
	chmod -R a+rX "$part"
	rm -rf "$unpacked"
	mv "$part" "$unpacked"
	rm -rf build/tmp build/download
}

main() {
	local found
	if [[ -n ${LIBTORCH:-} ]]; then
		check_given "$LIBTORCH"
		(cd "$LIBTORCH" && pwd)
		return
	fi
	if [[ ${1:-} != --prefer-wheel ]] && found=$(python_torch) && matches_pin "$found"; then
		echo "$found"
		return
	fi
	if ! has_libtorch "$unpacked/torch"; then fetch; fi
	echo "$unpacked/torch"
}

main "$@"
