#!/bin/bash
# Lets calls of a small build fail, one by one; see faults.py.
#
#   usage: Tests/faults/run.sh     (root, or sudo)
#
# Settings: WHITTLE (the program, instead of .build/debug/whittle; linked to the C library dynamically), FAULTS_SAMPLE,
# FAULTS_KINDS, FAULTS_ONLY, SAVE_TEMPS. Needs what `scripts/setup.sh test` installs, and a C compiler.
set -euo pipefail
directory=$(cd "$(dirname "$0")" && pwd)
export WHITTLE
WHITTLE=$(realpath "${WHITTLE:-$directory/../../.build/debug/whittle}")
if [ "$(id -u)" != 0 ]; then
    exec sudo --preserve-env=WHITTLE,SAVE_TEMPS,TMPDIR,FAULTS_SAMPLE,FAULTS_KINDS,FAULTS_ONLY "$0" "$@"
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$directory/faults.py" "$@"
