#!/bin/sh
# Installs the package with everything for CPUs and clusters into a folder of its own, weights included.
# What the Containerfiles run; without a builder: containers/install.sh PLACE [EXTRAS]
#   PLACE    made; PLACE/bin/or-mv-anon is the command
#   EXTRAS   of pyproject.toml, such as cluster,cuda (default: cluster)
# WHEELS=FOLDER takes packages from a folder of wheels and nothing from the network; WEIGHTS=FILE does so for weights.
set -eu
place=$1 extras=${2:-cluster}
source=$(cd "$(dirname "$0")/.." && pwd)
"${PYTHON:-python3}" -m venv "$place"
if [ -n "${WHEELS:-}" ]; then
  "$place/bin/python" -m pip install --quiet --no-index --find-links "$WHEELS" "or_mv_anon[$extras]"
else
  "$place/bin/python" -m pip install --quiet "$source[$extras]"
fi
if [ -n "${WEIGHTS:-}" ]; then
  cp "$WEIGHTS" "$place/weights.tar"
else
  "$place/bin/or-mv-anon" weights bundle "$place/weights.tar"
fi
"$place/bin/or-mv-anon" doctor --weights-dir "$place/weights.tar"
