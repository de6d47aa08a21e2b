# find_python VENV REQUIREMENTS prints the Python to use: $PYTHON, or else that of the folder
# VENV, in which it installs the packages of the file REQUIREMENTS. To be sourced.
find_python() {
	if [[ -n ${PYTHON:-} ]]; then
		echo "$PYTHON"
		return
	fi
	[[ -x $1/bin/python ]] || python3 -m venv "$1"
	"$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
	echo "$1/bin/python"
}
