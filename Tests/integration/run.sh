#!/bin/bash
# Tests the whittle program as a user meets it, with real containers, and its images with other tools.
#
#   usage: Tests/integration/run.sh [--filter TEXT]…     (root, or sudo)
#
# Settings: WHITTLE (the program, instead of .build/debug/whittle), SAVE_TEMPS=1 (keeps each test's directory).
# Needs what `scripts/setup.sh test` installs. Prints PASS or FAIL for each test and `N passed, N failed`.
set -euo pipefail
directory=$(cd "$(dirname "$0")" && pwd)
export WHITTLE
WHITTLE=$(realpath "${WHITTLE:-$directory/../../.build/debug/whittle}")
if [ "$(id -u)" != 0 ]; then exec sudo --preserve-env=WHITTLE,SAVE_TEMPS,TMPDIR "$0" "$@"; fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$directory/run.py" "$@"
