#!/usr/bin/env bash
# Feeds the parsers of outside bytes with what libFuzzer thinks of, until the time is over or something is found.
#
#   FUZZ_SECONDS  for all targets together (600)
#   FUZZ_TARGETS  which ones (all of them)
#
# Built by the compiler itself: SwiftPM gives every executable a main of its own, and libFuzzer brings one. What it found is in
# .build/fuzz/findings, one input a file; `FUZZ_TARGET=NAME .build/fuzz/fuzz FILE` shows it again. A finding becomes a test.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-600}
read -ra targets <<<"${FUZZ_TARGETS:-dockerfile words ignore checks frontend}"
build=.build/fuzz
mkdir -p "$build/findings"

# The modules, those that a later one imports first.
modules=(WhittleCore WhittleOCI WhittleDockerfile WhittleGraph WhittleFrontend WhittleLint)
flags=(-O -wmo -parse-as-library -sanitize=fuzzer -package-name whittle -swift-version 6 -I "$build" -I Sources/CNettle
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
    -enable-upcoming-feature InternalImportsByDefault)
objects=()
newer=
for module in "${modules[@]}"; do
    object=$build/$module.o
    objects+=("$object")
    mapfile -t sources < <(find "Sources/$module" -name '*.swift' | sort)
    if [[ -n $newer || ! -e $object || -n $(find "Sources/$module" -newer "$object" -print -quit) ]]; then
        newer=yes
        echo "compiling $module"
        swiftc "${flags[@]}" -module-name "$module" -emit-module -emit-module-path "$build/$module.swiftmodule" \
            -c "${sources[@]}" -o "$object"
    fi
done
swiftc -O -parse-as-library -sanitize=fuzzer -package-name whittle -swift-version 6 -I "$build" -I Sources/CNettle \
    -module-name WhittleFuzz Tests/fuzz/Targets.swift "${objects[@]}" -lnettle -o "$build/fuzz"

for target in "${targets[@]}"; do
    # The checks and the lowering read what the parser reads.
    seed=$target
    [[ -d Tests/fuzz/corpus/$seed ]] || seed=dockerfile
    mkdir -p "$build/corpus/$target"
    echo "== $target: $((seconds / ${#targets[@]})) s"
    if ! FUZZ_TARGET=$target "$build/fuzz" -max_total_time=$((seconds / ${#targets[@]})) -timeout=10 -rss_limit_mb=2048 \
        -max_len=4096 -dict=Tests/fuzz/dockerfile.dict -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$build/findings/$target-" "$build/corpus/$target" "Tests/fuzz/corpus/$seed" \
        >"$build/$target.log" 2>&1; then
        tail -40 "$build/$target.log"
        echo "something was found, see $build/findings" >&2
        exit 1
    fi
    grep -E 'stat::number_of_executed_units|stat::peak_rss_mb' "$build/$target.log"
done
