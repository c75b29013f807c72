#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh -- the house rules that a machine can check.  Each finding is one line; exit 1 when there is any.
set -u
cd "$(dirname "$0")/.."
found=$(mktemp)
trap 'rm -rf "$found" "${tmp:-}"' EXIT
say() { echo "$1" | tee -a "$found"; }
findings() {                # findings RULE: lines on stdin are findings
    sed "s/^/$1: /" | tee -a "$found"
}
sources() { git ls-files --cached --others --exclude-standard -- "$@"; }

mapfile -t host < <(sources 'host/*.c' 'host/*.h')
mapfile -t plugins < <(sources 'plugins/*.c' 'plugins/*.h')
mapfile -t sdk < <(sources 'sdk/*.h' 'sdk/*.c')
mapfile -t code < <(sources 'host/*.[ch]' 'plugins/*.[ch]' 'sdk/*.[ch]' 'tests/*.[ch]' 'bench/*.[ch]')

# Layers: a folder includes only what stands below it.
declare -A below=(
    [base]="base" [net]="base net" [ipc]="base ipc" [world]="base net world"
    [worker]="base net ipc world worker" [recorder]="base net ipc world recorder" [keeper]="base net ipc world keeper"
    [supervisor]="base net ipc world worker recorder keeper supervisor"
    [cmd]="base net ipc world worker recorder keeper supervisor cmd"
)
for f in "${host[@]}"; do
    d=${f#host/}; d=${d%%/*}
    [ "$d" = "${f#host/}" ] && continue
    while IFS= read -r inc; do
        top=${inc%%/*}
        case " ${below[$d]:-} " in *" $top "*) ;; *) say "layers: $f includes $inc" ;; esac
    done < <(sed -nE 's/^#include "([a-z_0-9]+\/[^"]+)".*/\1/p' "$f")
done
for f in "${plugins[@]}"; do
    while IFS= read -r inc; do
        case "$inc" in host/*|base/*|net/*|world/*|worker/*|ipc/*) say "layers: $f includes $inc" ;; esac
    done < <(sed -nE 's/^#include "([^"]+)".*/\1/p' "$f")
done

# Words that have no place in C that lasts.
grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|alloca|system)\(' "${host[@]}" "${plugins[@]}" "${sdk[@]}" | findings banned
grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "${code[@]}" | findings unfinished
grep -nE '^typedef struct' "${host[@]}" "${plugins[@]}" "${sdk[@]}" | findings typedef
# A mutable static outlives requests and hides state.
grep -nE '^static [^(=]*(=|;)' "${host[@]}" "${plugins[@]}" | grep -vE 'static (const|_Thread_local const|inline|_Noreturn)|\bconst [a-z_ ]*\*? ?const\b|static const|[)];$|\(' | findings "mutable static"
for f in "${code[@]}"; do
    head -n 1 "$f" | grep -q SPDX-License-Identifier || say "licence: $f has no SPDX line"
done

# Sizes: a file fits a sitting, a function a screen.
for f in "${host[@]}" "${plugins[@]}"; do
    n=$(wc -l <"$f")
    [ "$n" -le 600 ] || say "size: $f has $n lines (600 at most, 500 is the aim)"
done
awk 'FNR==1{open=0} /^\{/{open=1; start=FNR} /^\}/{if(open && FNR-start>80) print FILENAME":"start" a function of "FNR-start" lines (80 at most, 60 is the aim)"; open=0}' \
    "${host[@]}" "${plugins[@]}" | findings size
awk 'length($0)>132{print FILENAME":"FNR" has "length($0)" columns"}' "${code[@]}" | findings width

# Docs that are printed from tables are what the tables say.
if [ -x build/weir ]; then
    tmp=$(mktemp -d)
    tools/docs.sh "$tmp"
    for page in "$tmp"/*.md; do
        cmp -s "$page" "docs/$(basename "$page")" || say "docs: docs/$(basename "$page") is not what \`make docs\` prints"
    done
fi

# The format is the formatter's business (headers are set by hand: their tables and contracts stand in columns).
if command -v clang-format >/dev/null; then
    clang-format --dry-run $(printf '%s\n' "${code[@]}" | grep '\.c$') 2>&1 | grep -E 'warning: code should' | cut -d: -f1 | sort | uniq -c \
        | awk '{print $2": "$1" places; run clang-format -i on it"}' | findings format
fi

# What the compiler does not look for.
if command -v cppcheck >/dev/null; then
    cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --suppressions-list=tools/cppcheck.txt --error-exitcode=0 \
        -D_GNU_SOURCE -Ihost -Isdk -Iplugins/lib -j2 host plugins 2>&1 | grep -E ': (error|warning|portability):' | findings cppcheck
fi
[ -s "$found" ] && exit 1
echo "lint: nothing found"
