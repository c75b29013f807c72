#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh -- runs every fuzzer for a number of seconds, two at a time, beginning with the kept corpus.
#   tools/fuzz.sh SECONDS [NAME...]      a finding is left in build/fuzz-findings/ with the command that repeats it
set -u
cd "$(dirname "$0")/.."
B=${B:-build}
seconds=${1:-60}
[ $# -gt 0 ] && shift
out=$B/fuzz-findings
mkdir -p "$out" "$B/fuzz-corpus" "$B/fuzz-logs"
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for f in tests/fuzz/*.c; do n=$(basename "$f" .c); [ "$n" = standalone ] || names+=("$n"); done
fi

one() {
    mkdir -p "$B/fuzz-corpus/$1"
    local dict=()
    [ -e "tests/fuzz/$1.dict" ] && dict=("-dict=tests/fuzz/$1.dict")
    "$B/fuzz/$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$out/$1-" -print_final_stats=1 "${dict[@]}" \
        "$B/fuzz-corpus/$1" "tests/fuzz/corpus/$1" >"$B/fuzz-logs/$1" 2>&1
}

failed=0 running=()
finish() {                  # the oldest one
    local n=${running[0]%% *} pid=${running[0]##* }
    if wait "$pid"; then
        echo "ok   fuzz/$n: $(sed -nE 's/stat::number_of_executed_units: *([0-9]+)/\1 inputs/p' "$B/fuzz-logs/$n")"
    else
        failed=$((failed + 1))
        echo "FAIL fuzz/$n: repeat with $B/fuzz/$n FILE, one of:"; ls "$out/$n-"* 2>/dev/null
        tail -n 40 "$B/fuzz-logs/$n" | sed 's/^/     /'
    fi
    running=("${running[@]:1}")
}
for n in "${names[@]}"; do
    [ ${#running[@]} -ge 2 ] && finish
    one "$n" & running+=("$n $!")
done
while [ ${#running[@]} -gt 0 ]; do finish; done
echo "fuzz: $((${#names[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
