# SPDX-License-Identifier: Apache-2.0
"""Reads requests.txt (its head says how), sends rows as raw bytes and reads what is answered.

Used by tests/integration/http_table.py and http_peers.py.
"""
import os
import re
import select
import socket
import time

FOLLOWER = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


class Row:
    def __init__(self, name, where, outcome, conn, data, group):
        self.name, self.where, self.conn, self.data, self.group = name, where, conn, data, group
        self.outcomes = outcome.split(",")
        self.more = self.outcomes == ["more"]
        self.accepted = not self.more and all(o.startswith("ok") for o in self.outcomes)


def expand(text, texts):
    out, i = b"", 0
    while i < len(text):
        if text[i] != "\\":
            out += text[i].encode("latin-1")
            i += 1
            continue
        kind, i = text[i + 1], i + 2
        if kind == "x":
            out += bytes([int(text[i:i + 2], 16)])
            i += 2
        elif kind == "<":
            end = text.index(">", i)
            out += texts[text[i:end]]
            i = end + 1
        elif kind == "@":
            times = re.match(r"(\d+)\(", text[i:])
            i += times.end()
            end, depth = i, 1
            while depth:
                depth += (text[end] == "(") - (text[end] == ")")
                end += 1
            out += expand(text[i:end - 1], texts) * int(times[1])
            i = end
        else:
            out += ESCAPES[kind]
    return out


def read_rows():
    texts, rows, group = {}, [], ""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "requests.txt")
    with open(path, encoding="latin-1") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("# ----"):
                group = line.strip("# -").split(" (")[0]
            if not line or line.startswith("#"):
                continue
            if line.startswith("="):
                _, name, text = line.split(None, 2)
                texts[name] = expand(text, texts)
            else:
                name, where, outcome, conn, text = line.split(None, 4)
                rows.append(Row(name, where, outcome, conn, expand(text, texts), group))
    return rows


def take_chunked(data):
    """The bytes behind a chunked body, or None when it is not whole."""
    while True:
        size, end, data = data.partition(b"\r\n")
        if not end:
            return None
        size = int(size.split(b";")[0], 16)
        if len(data) < size + 2:
            return None
        data = data[size + 2:]
        if size == 0:
            return data


def read_answers(data, to_head, closed):
    """The final status codes of the whole answers in `data`; 1xx are left out.  `to_head`: the first is to a HEAD."""
    statuses = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        line = re.match(rb"HTTP/1\.[01] (\d\d\d)", head)
        if not end or not line:
            break
        status = int(line[1])
        length = re.search(rb"(?im)^content-length:\s*(\d+)\s*$", head)
        if status < 200 or status in (204, 304) or (to_head and not statuses):
            pass
        elif re.search(rb"(?im)^transfer-encoding:\s*chunked\s*$", head):
            rest = take_chunked(rest)
        elif length:
            rest = rest[int(length[1]):] if len(rest) >= int(length[1]) else None
        else:
            rest = b"" if closed else None
        if rest is None:
            break
        data = rest
        if status >= 200:
            statuses.append(status)
    return statuses


def send_row(address, data, want, half_close=False, timeout=5.0, to_head=False):
    """Sends bytes; returns (statuses, closed) once the peer has closed, `want` answers are there, or it is too late."""
    got, closed, deadline = b"", False, time.monotonic() + timeout
    with socket.create_connection(address, timeout) as s:
        s.setblocking(False)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not closed and time.monotonic() < deadline:
            readable, writable, _ = select.select([s], [s] if data else [], [], 0.5)
            try:
                if writable:
                    data = data[s.send(data):]
                    if not data and half_close:
                        s.shutdown(socket.SHUT_WR)
            except OSError:
                data = b""                   # closed to us; what it had said before is still to be read
            try:
                if readable:
                    piece = s.recv(65536)
                    got += piece
                    closed = not piece
            except BlockingIOError:
                pass
            except OSError:
                closed = True
            if want and len(read_answers(got, to_head, closed)) >= want:
                break
    return read_answers(got, to_head, closed), closed


def run_row(address, row, timeout=5.0):
    """(statuses, closed) of a row with a well-formed request behind it, which a row that is kept open answers too."""
    want = 0 if row.more or row.conn == "close" else len(row.outcomes) + 1
    data = row.data if row.more else row.data + FOLLOWER
    return send_row(address, data, want, row.more, timeout, row.data.startswith(b"HEAD "))


def allowed_statuses(outcome):
    if outcome.startswith("ok"):
        outcome = outcome[3:] or "200"
    return [int(s) for s in outcome.split("|")]


def judge_row(row, statuses, closed):
    """What is wrong with these answers to the row, or ""."""
    told = f"answers {statuses}, {'closed' if closed else 'not closed'}"
    if row.more:
        return "" if closed and set(statuses) <= {400, 408} else f"no request was whole, but {told}"
    for i, outcome in enumerate(row.outcomes):
        if i >= len(statuses) or statuses[i] not in allowed_statuses(outcome):
            return f"expected {','.join(row.outcomes)}: {told}"
    behind = statuses[len(row.outcomes):]
    if row.conn == "open" and behind != [200]:
        return f"the request behind was not answered: {told}"
    if row.conn == "close" and (behind or not closed):
        return f"the connection was not closed after it: {told}"
    if row.conn == "open|close" and behind != [200] and (behind or not closed):
        return f"the connection is neither closed nor in step: {told}"
    return ""
