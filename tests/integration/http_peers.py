#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends the rows of tests/http/requests.txt to nginx and haproxy too and prints where they and weir differ.

weir's side is the table's (http_table.py holds weir to it).  Fails when weir accepts what both others refuse, unless the
row stands in REASONS below, and when a row of REASONS is no longer needed.
"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import _weir

sys.path.insert(0, os.path.join(_weir.ROOT, "tests", "http"))
import rows as table  # noqa: E402

# Rows that weir accepts although nginx and haproxy both refuse them, and why that is safe.
REASONS = {
}

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log crit;
events {{ worker_connections 64; }}
http {{
    access_log off; client_max_body_size 1m; large_client_header_buffers 4 16k;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{origin}; proxy_http_version 1.1; }}
    }}
}}
"""

HAPROXY = """
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend f
    bind 127.0.0.1:{port}
    default_backend b
backend b
    option http-buffer-request
    server s 127.0.0.1:{origin}
"""


class Origin(threading.Thread):
    """Answers every whole request behind the proxies with 200 and closes."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        while True:
            peer = self.socket.accept()[0]
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    @staticmethod
    def serve(peer):
        data = b""
        with peer:
            peer.settimeout(5)
            try:
                while not Origin.whole(data):
                    piece = peer.recv(65536)
                    if not piece:
                        return
                    data += piece
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
                             + (b"" if data.startswith(b"HEAD ") else b"ok"))
            except OSError:
                pass

    @staticmethod
    def whole(data):
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
        if re.search(rb"(?im)^transfer-encoding:.*chunked", head):
            try:
                return table.take_chunked(body) is not None
            except ValueError:
                return False
        return bool(end) and len(body) >= (int(length[1]) if length else 0)


def start_peer(folder, name, config, command, origin):
    """The process and its address; the address is None when it does not answer."""
    port = _weir.free_port()
    path = os.path.join(folder, name + ".conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(config.format(folder=folder, port=port, origin=origin))
    log = open(os.path.join(folder, name + ".out"), "wb")
    process = subprocess.Popen(command + [path], stdout=log, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if table.send_row(("127.0.0.1", port), table.FOLLOWER, 1)[0] == [200]:
                return process, ("127.0.0.1", port)
        except OSError:
            pass
        time.sleep(0.05)
    return process, None


def ask(address, row):
    """Whether the peer takes the row as the requests that we see in it, and what it answered."""
    want = len(row.outcomes)
    try:
        statuses, _ = table.send_row(address, row.data, want, half_close=False, timeout=1.5,
                                     to_head=row.data.startswith(b"HEAD "))
    except OSError:
        return False, "-"
    return statuses[:want] == [200] * want, ",".join(str(s) for s in statuses) or "-"


def compare(nginx, haproxy):
    passed, unexplained, needed = 0, [], set()
    print(f"{'row':31}{'weir':10}{'nginx':20}haproxy")
    for row in table.read_rows():
        if row.where != "both" or row.more:
            continue
        (n_takes, n_told), (h_takes, h_told) = ask(nginx, row), ask(haproxy, row)
        if n_takes != row.accepted or h_takes != row.accepted:
            print(f"{row.name:31}{'takes' if row.accepted else ','.join(row.outcomes):10}"
                  f"{('takes ' if n_takes else 'refuses ') + n_told:20}{'takes' if h_takes else 'refuses'} {h_told}")
        if row.accepted and not n_takes and not h_takes:
            needed.add(row.name)
            if row.name not in REASONS:
                unexplained.append(row.name)
                continue
        passed += 1
    return passed, unexplained, needed


def main():
    origin = Origin()
    origin.start()
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name, config, command in (("nginx", NGINX, ["nginx", "-c"]), ("haproxy", HAPROXY, ["haproxy", "-db", "-f"])):
                processes.append(start_peer(folder, name, config, command, origin.port))
            if not all(address for _, address in processes):
                print("nginx or haproxy did not start\n0 passed, 1 failed")
                return 1
            passed, unexplained, needed = compare(processes[0][1], processes[1][1])
        finally:
            for process, _ in processes:
                process.terminate()
                process.wait(10)
    for name in unexplained:
        print(f"{name}: weir accepts what nginx and haproxy both refuse, and REASONS does not say why")
    stale = set(REASONS) - needed
    for name in stale:
        print(f"{name}: stands in REASONS, but one of the others accepts it")
    failed = len(unexplained) + len(stale)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
