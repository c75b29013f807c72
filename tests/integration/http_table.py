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
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "http"))
import rows as table  # noqa: E402

CONFIG = """
state = "{folder}/state";
workers = 1;
max_head = 16384;
max_headers = 100;
max_body = 1048576;
providers = ( {{ name = "mock"; models = [ "mock/*" ]; }} );
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_weir(folder, port):
    """The process, or None when it does not answer within ten seconds."""
    build = os.environ.get("B", "build")
    config = os.path.join(folder, "weir.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(folder=folder))
    log = open(os.path.join(folder, "log"), "wb")
    weir = subprocess.Popen([os.path.join(TOP, build, "weir"), "serve", "-c", config, "-l", f"127.0.0.1:{port}"],
                            cwd=TOP, stdout=log, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and weir.poll() is None:
        try:
            if table.send_row(("127.0.0.1", port), table.FOLLOWER, 1)[0] == [200]:
                return weir
        except OSError:
            pass
        time.sleep(0.05)
    stop(weir)
    return None


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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
        with tempfile.TemporaryDirectory() as folder:
            port = args.port or free_port()
            weir = start_weir(folder, port)
            if not weir:
                with open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as log:
                    print(f"weir did not start:\n{log.read()}")
                print("0 passed, 1 failed")
                return 1
            try:
                passed, failed = run(("127.0.0.1", port), args.only)
            finally:
                stop(weir)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
