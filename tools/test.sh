#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test.sh -- runs what `make test` has built: unit tests, plugin and ABI tests, fuzz corpora, cases and integration tests.
# Each program ends with a line "N passed, N failed[, N skipped]"; the sums are the last line here.  B is the build folder.
#   tools/test.sh [NAME...]     only tests whose name holds one of the words
set -u
cd "$(dirname "$0")/.."
B=${B:-build}
export B
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1:detect_stack_use_after_return=0}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-120}
slower=1
case "$B" in */san-*thread*) slower=3 ;; esac           # than the other builds; only limits against hanging are widened
export CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-$slower}

begin=$SECONDS
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
count=0

judge() {                   # judge NAME LIMIT_S LOG COMMAND...: one line for the reader, one line of sums for the end
    local name=$1 limit=$2 log=$3 start=$SECONDS line p f s rc
    shift 3
    timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null
    rc=$?
    line=$(grep -aE '^([^ ]+: )?[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    p=$(sed -nE 's/.*[^0-9]([0-9]+) passed.*/\1/p' <<<" $line")
    f=$(sed -nE 's/.* ([0-9]+) failed.*/\1/p' <<<"$line")
    s=$(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line")
    if [ "$rc" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then f=1; fi
    if [ -z "$line" ] && [ "$rc" -eq 0 ]; then f=1; fi
    if [ "${f:-0}" -gt 0 ]; then
        { echo "FAIL $name ($((SECONDS - start)) s, exit $rc)"; tail -n 60 "$log" | sed 's/^/     /'; } >"$log.say"
    else
        {
            printf 'ok   %-44s %4s passed%s  %s s\n' "$name" "${p:-0}" "${s:+, $s skipped}" "$((SECONDS - start))"
            if [ "${s:-0}" -gt 0 ]; then grep -a -i skip "$log" | head -n 3 | sed 's/^/     /'; fi
        } >"$log.say"
    fi
    cat "$log.say"
    echo "${p:-0} ${f:-0} ${s:-0}" >"$log.sum"
}

wanted() {
    [ ${#words[@]} -eq 0 ] && return 0
    local w
    for w in "${words[@]}"; do case "$1" in *"$w"*) return 0 ;; esac; done
    return 1
}
run() {                     # run NAME LIMIT_S COMMAND...: by itself
    wanted "$1" || return 0
    count=$((count + 1))
    judge "$1" "$2" "$logs/$count" "${@:3}"
}
spawn() {                   # the same, two at a time
    wanted "$1" || return 0
    count=$((count + 1))
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
    judge "$1" "$2" "$logs/$count" "${@:3}" &
}

words=("$@")
for t in "$B"/tests/*_test; do
    [ -x "$t" ] && spawn "unit/$(basename "$t")" $((300 * slower)) "$t"
done
[ -x "$B/tests/abi" ] && spawn abi 20 "$B/tests/abi"
for f in "$B"/fuzz-replay/*; do
    [ -x "$f" ] || continue
    case "$f" in *.d) continue ;; esac
    corpus=tests/fuzz/corpus/$(basename "$f")
    spawn "corpus/$(basename "$f")" 120 "$f" "$corpus"/*
done
wait
for c in tests/integration/*.py; do
    [ -e "$c" ] || continue
    case "$(basename "$c")" in _*) continue ;; esac
    run "integration/$(basename "$c" .py)" "${LIMIT:-400}" python3 "$c"
done
[ -e tests/cases/run.py ] && run cases 300 python3 tests/cases/run.py

wait
read -r passed failed skipped < <(cat "$logs"/*.sum 2>/dev/null | awk '{p += $1; f += $2; s += $3} END {print p + 0, f + 0, s + 0}')
echo "$((SECONDS - begin)) s"
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ] && { [ "$skipped" -eq 0 ] || [ -z "${CI:-}" ]; }
