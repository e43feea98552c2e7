#!/bin/bash
# Kills and interrupts builds at random moments; see torture.py.
#
#   usage: Tests/torture/run.sh     (root, or sudo)
#
# Settings: WHITTLE (the program, instead of .build/debug/whittle), TORTURE_KILLS, TORTURE_SIGNALS, TORTURE_SEED, SAVE_TEMPS.
# Needs what `scripts/setup.sh test` installs.
set -euo pipefail
directory=$(cd "$(dirname "$0")" && pwd)
export WHITTLE
WHITTLE=$(realpath "${WHITTLE:-$directory/../../.build/debug/whittle}")
if [ "$(id -u)" != 0 ]; then
    exec sudo --preserve-env=WHITTLE,SAVE_TEMPS,TMPDIR,TORTURE_KILLS,TORTURE_SIGNALS,TORTURE_SEED "$0" "$@"
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$directory/torture.py" "$@"
