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
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-120}

passed=0 failed=0 skipped=0 begin=$SECONDS
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run() {                     # run NAME LIMIT_S COMMAND...
    local name=$1 limit=$2 start=$SECONDS line p f s rc
    shift 2
    if [ ${#words[@]} -gt 0 ]; then
        local hit=
        for w in "${words[@]}"; do case "$name" in *"$w"*) hit=1 ;; esac; done
        [ -n "$hit" ] || return 0
    fi
    timeout -k 10 "$limit" "$@" >"$logs/out" 2>&1 </dev/null
    rc=$?
    line=$(grep -aE '^([^ ]+: )?[0-9]+ passed, [0-9]+ failed' "$logs/out" | tail -n 1)
    p=$(sed -nE 's/.*[^0-9]([0-9]+) passed.*/\1/p' <<<" $line")
    f=$(sed -nE 's/.* ([0-9]+) failed.*/\1/p' <<<"$line")
    s=$(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line")
    if [ "$rc" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then f=1; fi
    if [ -z "$line" ] && [ "$rc" -eq 0 ]; then f=1; fi
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
    if [ "${f:-0}" -gt 0 ]; then
        echo "FAIL $name ($((SECONDS - start)) s, exit $rc)"
        tail -n 60 "$logs/out" | sed 's/^/     /'
    else
        printf 'ok   %-44s %4s passed%s  %s s\n' "$name" "${p:-0}" "${s:+, $s skipped}" "$((SECONDS - start))"
        if [ "${s:-0}" -gt 0 ]; then grep -a -i skip "$logs/out" | head -n 3 | sed 's/^/     /'; fi
    fi
}

words=("$@")
for t in "$B"/tests/*_test; do
    [ -x "$t" ] && run "unit/$(basename "$t")" 300 "$t"
done
[ -x "$B/tests/abi" ] && run abi 20 "$B/tests/abi"
for f in "$B"/fuzz-replay/*; do
    [ -x "$f" ] || continue
    case "$f" in *.d) continue ;; esac
    corpus=tests/fuzz/corpus/$(basename "$f")
    run "corpus/$(basename "$f")" 120 "$f" "$corpus"/*
done
for c in tests/integration/*.py; do
    [ -e "$c" ] || continue
    case "$(basename "$c")" in _*) continue ;; esac
    run "integration/$(basename "$c" .py)" "${LIMIT:-400}" python3 "$c"
done
[ -e tests/cases/run.py ] && run cases 300 python3 tests/cases/run.py

echo "$((SECONDS - begin)) s"
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ] && { [ "$skipped" -eq 0 ] || [ -z "${CI:-}" ]; }
