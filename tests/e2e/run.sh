#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh -- the official clients against weir: installs them here (.venv, node_modules) when their versions changed, then plays all.
#   tests/e2e/run.sh [WORD...]     only suites whose name holds one of the words (and `recordings`); B is the build folder, V=1 shows each test
set -u
cd "$(dirname "$0")"
export PYTHONDONTWRITEBYTECODE=1

missing() {                 # where everything has to run, a client that cannot is a failure
    echo "make e2e: $1; on Debian: apt-get install python3-venv nodejs npm (Node 20 or newer)"
    [ -z "${CI:-}" ] || broken "nothing was tested"
    echo "nothing was tested"
    echo "0 passed, 0 failed"
    exit 0
}
broken() {
    echo "make e2e: $1"
    echo "0 passed, 1 failed"
    exit 1
}

# current FOLDER FILE...: FOLDER was installed from FILEs as they are now, by this python and node
stamp() { (cat "$@" && python3 -V && node -v) 2>&1 | sha256sum; }
current() { [ "$(cat "$1/.e2e-installed" 2>/dev/null)" = "$(stamp "${@:2}")" ]; }
settle() { stamp "${@:2}" >"$1/.e2e-installed"; }

install_python() {
    current .venv requirements.txt && return
    rm -rf .venv
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || missing "python3 is older than 3.11"
    python3 -m venv .venv >/dev/null 2>&1 || missing "python3 has no venv with pip"
    .venv/bin/pip install -q --disable-pip-version-check --no-deps -r requirements.txt || broken "pip could not install requirements.txt"
    settle .venv requirements.txt
}

install_node() {
    current node_modules package.json package-lock.json && return
    rm -rf node_modules
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null || missing "there is no npm with Node 20"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || broken "npm could not install package-lock.json"
    settle node_modules package.json package-lock.json
}

install_python
install_node

suites=(
    "curl=.venv/bin/python curl_client.py"
    "openai for Python=.venv/bin/python openai_python.py"
    "openai 7 for Node=node openai_node.mjs openai"
    "openai 6 for Node=node openai_node.mjs openai-6"
    "Vercel's ai=node vercel_ai.mjs"
    "LangChain=node langchain.mjs"
)
chosen=()
for suite in "${suites[@]}"; do
    for word in "${@:-}"; do
        case "${suite%%=*}" in *"$word"*) chosen+=("$suite") && break ;; esac
    done
done
status=0
[ ${#chosen[@]} = 0 ] || .venv/bin/python stage.py "${chosen[@]}" || status=1
for word in "${@:-}"; do
    case recordings in *"$word"*) .venv/bin/python bulk.py || status=1; break ;; esac
done
for word in "${@:-}"; do
    case matrix in *"$word"*) .venv/bin/python matrix.py || status=1; break ;; esac
done
exit $status
