#!/bin/bash
# Writes shell completions and the man page of a whittle program, from its own argument definitions.
#
#   usage: scripts/generate.sh WHITTLE DIRECTORY
set -euo pipefail
whittle=$1 directory=$2
mkdir -p "$directory"
"$whittle" --generate-completion-script bash >"$directory/whittle.bash"
"$whittle" --generate-completion-script zsh >"$directory/_whittle"
"$whittle" --generate-completion-script fish >"$directory/whittle.fish"
"$whittle" --experimental-dump-help >"$directory/help.json"
version=$("$whittle" --version | head -1 | grep -oE '[0-9]+\.[0-9]+[^ ]*' | head -1)
python3 "$(dirname "$0")/manpage.py" "$version" <"$directory/help.json" >"$directory/whittle.1"
