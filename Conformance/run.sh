#!/bin/bash
# Runs the conformance cases; arguments are those of run.py. (root, or sudo: steps are run)
set -euo pipefail
directory=$(cd "$(dirname "$0")" && pwd)
export WHITTLE
WHITTLE=$(realpath "${WHITTLE:-$directory/../.build/debug/whittle}")
if [ "$(id -u)" != 0 ]; then exec sudo --preserve-env=WHITTLE,SAVE_TEMPS,TMPDIR "$0" "$@"; fi
exec python3 "$directory/run.py" "$@"
