#!/usr/bin/env bash
# Make a virtual environment with a recent pip: environment.sh PYTHON FOLDER
set -euo pipefail
python=$1
folder=$2

fail() {
  printf 'xinji: %s\n' "$@" >&2
  exit 2
}

command -v "$python" >/dev/null || fail "there is no $python here." \
  "Install Python 3.11 or later (Debian, Ubuntu: sudo apt install python3 python3-venv), or name one: make run PYTHON=python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail \
  "$("$python" --version) is too old, 3.11 or later is needed." "Name a later one: make run PYTHON=python3.11"

echo "Making $folder with $("$python" --version); the packages take a minute or two to fetch."
if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  "$python" -m venv "$folder"
elif "$python" -c 'import pip' 2>/dev/null; then
  # Debian takes ensurepip out of Python; a pip that stands already can put one into the environment.
  "$python" -m venv --without-pip "$folder"
  "$python" -m pip --quiet --python "$folder/bin/python" install pip || fail \
    "$python has no ensurepip and its pip cannot fill an environment." "Install it: sudo apt install python3-venv"
else
  fail "$python can make no virtual environment: ensurepip is missing." \
    "Debian and Ubuntu keep it in a package of its own: sudo apt install python3-venv"
fi
# Groups of dependencies are known to pip from 25.1 on.
"$folder/bin/python" -m pip --quiet --disable-pip-version-check install --upgrade 'pip>=25.1' || fail \
  "pip could not fetch packages." "Check the network, or the index that pip is set to."
