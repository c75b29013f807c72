#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs.sh -- prints the pages of docs/ that come from tables in the code.   tools/docs.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
to=${1:-docs}
mkdir -p "$to"
for page in $(build/weir docs --list); do
    build/weir docs "$page" >"$to/$page.md"
done
