#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends every row of tests/http/requests.txt to a running weir and checks status, connection, and what is behind the row.

    http_table.py                         starts build/weir on a free port
    http_table.py --port 8123             on this one
    http_table.py --against HOST:PORT     against a server that runs already
    http_table.py --only TEXT             rows whose name holds TEXT
"""
import argparse
import os
import sys

import _weir

sys.path.insert(0, os.path.join(_weir.ROOT, "tests", "http"))
import rows as table  # noqa: E402

CONFIG = """
max_head = 16384;
max_headers = 100;
max_body = 1048576;
providers = ( { name = "mock"; models = [ "mock/*" ]; } );
"""


def run(address, only):
    passed = failed = 0
    for row in table.read_rows():
        if only and only not in row.name:
            continue
        try:
            wrong = table.judge_row(row, *table.run_row(address, row))
        except OSError as error:
            wrong = f"no connection: {error}"
        passed += not wrong
        failed += bool(wrong)
        if wrong:
            print(f"{row.name} ({row.group}): {wrong}")
    return passed, failed


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--port", type=int)
    args.add_argument("--against")
    args.add_argument("--only")
    args = args.parse_args()
    if args.against:
        host, _, port = args.against.rpartition(":")
        passed, failed = run((host, int(port)), args.only)
    else:
        weir = _weir.Weir(CONFIG, start=False)
        with weir:
            if args.port:
                weir.port = args.port
                weir.args = ["-l", f"127.0.0.1:{args.port}"]
            weir.start()
            passed, failed = run(("127.0.0.1", weir.port), args.only)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
