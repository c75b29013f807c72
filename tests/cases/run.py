# SPDX-License-Identifier: Apache-2.0
"""run.py -- plays every tests/cases/*.case: configuration, scripted upstream, client and expectations in one text file.

    tests/cases/run.py [WORD...]      only the cases whose file name holds one of the words

A case is sections, each begun by a line `== NAME ...`:
  == config              libconfig; ${upstream} is the URL of the scripted upstream, ${dir} a folder of the case
  == file NAME           a file in that folder
  == upstream [WORDS]    what the upstream answers to its next request, byte by byte: line ends become CRLF in the head, a
                         `content-length: *` is filled in.  WORDS: close (afterwards), reset, hold, wait=SECONDS (before),
                         slow=BYTES (sent in pieces of so many bytes), chunked (the body as one chunk per line group "-- chunk"),
                         escapes (the body has escapes as TEXT below)
  == request [WORDS]     what the client sends; the same conveniences.  WORDS: key=NAME
  == expect              what must come of it, one rule a line (see RULES below); after each request its own expect
Rules: status N | header NAME VALUE | no-header NAME | body-is TEXT | body-has TEXT | body-lacks TEXT | json PATH VALUE |
  data-is N TEXT (the N-th SSE record's data) | text-is TEXT (the content of all deltas together) | closed | open |
  upstream-requests N | upstream-head TEXT | upstream-lacks TEXT | upstream-body-is TEXT | upstream-body-has TEXT |
  record KIND NAME=VALUE... (some record of this kind has all of these) | records KIND N | log-has TEXT | log-lacks TEXT
TEXT is the rest of the line; \\n \\r \\t \\xHH \\\\ are escapes in it.
"""
import glob
import json
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
from _weir import Upstream, Weir, read_message  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def unescape(text):
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|.)", lambda m: {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\"}.get(
        m.group(1), bytes([int(m.group(1)[1:], 16)]) if m.group(1)[:1] == b"x" and len(m.group(1)) == 3 else m.group(0)), text.encode())


def sections(path):
    name, words, lines, line_no = None, [], [], 0
    for number, line in enumerate(open(path, encoding="utf-8").read().split("\n"), 1):
        if line.startswith("== "):
            if name:
                yield name, words, lines, line_no
            parts = line[3:].split()
            name, words, lines, line_no = parts[0], parts[1:], [], number
        elif name:
            lines.append(line)
    if name:
        yield name, words, lines, line_no


def trimmed(lines):
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def message(lines, words):
    """Head with CRLF, an empty line, the body as it stands (without the line ends behind it)."""
    lines = trimmed(list(lines))
    cut = lines.index("") if "" in lines else len(lines)
    head, body = lines[:cut], "\n".join(lines[cut + 1:]).encode()
    if "escapes" in words:
        body = unescape(body.decode())
    if "records" in words:                   # an SSE body: each group of lines is a record
        body += b"\n\n"
    if "chunked" in words:
        pieces = re.split(rb"-- chunk\n", body)
        body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces if p)
        if "cut" not in words:
            body += b"0\r\n\r\n"
    head = [h.replace("content-length: *", "content-length: %d" % len(body)) for h in head]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def steps(data, words):
    out = []
    for w in words:
        if w.startswith("wait="):
            out.append(float(w[5:]))
    slow = [int(w[5:]) for w in words if w.startswith("slow=")]
    if slow:
        for i in range(0, len(data), slow[0]):
            out += [data[i:i + slow[0]], 0.002]
    else:
        out.append(data)
    for w in ("close", "reset", "hold"):
        if w in words:
            out.append(w)
    return out


class Case:
    def __init__(self, path):
        self.path = path
        self.weir = self.upstream = self.socket = self.answer = None
        self.script = []
        self.config = ""
        self.files = {}

    def fail(self, line, why):
        raise AssertionError("%s:%d: %s" % (os.path.relpath(self.path), line, why))

    def start(self):
        self.upstream = Upstream(lambda n, _: self.script[n] if n < len(self.script) else ["close"])
        config = self.config.replace("${upstream}", self.upstream.url)
        env = {"CASE_SECRET": "sk-upstream-secret-0123456789"}
        self.weir = make(config, self.files, env)

    def send(self, lines, words):
        if not self.weir:
            self.start()
        data = message(lines, words)
        if not self.socket:
            self.socket = socket.create_connection(("127.0.0.1", self.weir.port), 10)
        self.socket.sendall(data)
        self.answer = read_message(self.socket, 10, data.startswith(b"HEAD "))
        if self.answer and b"onnection: close" in b"\r\n".join(b": ".join(h) for h in self.answer[1]):
            self.drop()

    def drop(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def expect(self, lines, line_no):
        for i, line in enumerate(lines, line_no + 1):
            line = line.strip()
            if line and not line.startswith("#"):
                word, _, rest = line.partition(" ")
                rule = getattr(self, "rule_" + word.replace("-", "_"), None)
                if not rule:
                    self.fail(i, "no such rule: " + word)
                why = rule(rest)
                if why:
                    self.fail(i, "%s\n     got: %s" % (line, why))

    # ---- the answer ----
    def rule_status(self, rest):
        got = self.answer[0].split()[1].decode() if self.answer else "no answer"
        return got if got != rest else None

    def header(self, name):
        return [v.decode() for k, v in self.answer[1] if k.decode().lower() == name.lower()]

    def rule_header(self, rest):
        name, _, value = rest.partition(" ")
        return None if value in self.header(name) else str(self.answer[1])

    def rule_no_header(self, rest):
        return str(self.answer[1]) if self.header(rest) else None

    def rule_body_is(self, rest):
        return None if self.answer[2] == unescape(rest) else repr(self.answer[2])

    def rule_body_has(self, rest):
        return None if unescape(rest) in self.answer[2] else repr(self.answer[2])

    def rule_body_lacks(self, rest):
        return repr(self.answer[2]) if unescape(rest) in self.answer[2] else None

    def rule_json(self, rest):
        path, _, value = rest.partition(" ")
        at = json.loads(self.answer[2])
        for part in path.split("."):
            at = at[int(part)] if isinstance(at, list) else at.get(part)
        return None if at == json.loads(value) else json.dumps(at)

    def data(self):
        out = []
        for record in re.split(rb"\r?\n\r?\n", self.answer[2]):
            lines = [x[5:].lstrip(b" ") for x in re.split(rb"\r?\n", record) if x.startswith(b"data:")]
            if lines:
                out.append(b"\n".join(lines))
        return out

    def rule_data_is(self, rest):
        n, _, text = rest.partition(" ")
        data = self.data()
        n = int(n)
        return None if -len(data) <= n < len(data) and data[n] == unescape(text) else repr(data)

    def rule_text_is(self, rest):
        text = ""
        for d in self.data():
            if d.startswith(b"{"):
                for c in json.loads(d).get("choices", []):
                    text += (c.get("delta") or {}).get("content") or c.get("text") or ""
        return None if text == unescape(rest).decode() else repr(text) + " in " + repr(self.data())

    def rule_closed(self, _):
        if not self.socket:
            return None
        self.socket.settimeout(3)
        try:
            got = self.socket.recv(1)
        except ConnectionResetError:
            got = b""
        except socket.timeout:
            return "still open"
        return None if got == b"" else "more bytes"

    def rule_open(self, _):
        return None if self.socket else "closed"

    # ---- the upstream ----
    def rule_upstream_requests(self, rest):
        n = len(self.upstream.requests)
        return None if n == int(rest) else str(n)

    def last(self):
        return self.upstream.requests[-1] if self.upstream.requests else (b"", [], b"", b"")

    def head(self):
        m = self.last()
        return m[0] + b"\n" + b"\n".join(b": ".join(h) for h in m[1])

    def rule_upstream_head(self, rest):
        return None if unescape(rest) in self.head() else repr(self.head())

    def rule_upstream_lacks(self, rest):
        return repr(self.head()) if unescape(rest) in self.head() + self.last()[2] else None

    def rule_upstream_body_is(self, rest):
        return None if self.last()[2] == unescape(rest) else repr(self.last()[2])

    def rule_upstream_body_has(self, rest):
        return None if unescape(rest) in self.last()[2] else repr(self.last()[2])

    # ---- what weir says of it ----
    def rule_record(self, rest):
        kind, *wants = rest.split()
        wants = [w.split("=", 1) for w in wants]
        end = time.monotonic() + 5
        rows = []
        while time.monotonic() < end:
            rows = self.weir.wait_records(1, kind, 1)
            for r in rows:
                flat = dict(r, **{"labels." + k: v for k, v in (r.get("labels") or {}).items()})
                if all(as_text(flat.get(k)) == v for k, v in wants):
                    return None
            time.sleep(0.05)
        return json.dumps(rows)

    def rule_records(self, rest):
        kind, n = rest.split()
        rows = self.weir.wait_records(int(n), kind)
        time.sleep(0.1)
        return None if len(self.weir.records(kind)) == int(n) else json.dumps(rows)

    def rule_log_has(self, rest):
        return None if unescape(rest).decode() in self.weir.text() else self.weir.text()

    def rule_log_lacks(self, rest):
        return self.weir.text() if unescape(rest).decode() in self.weir.text() else None

    def play(self):
        try:
            for name, words, lines, line_no in sections(self.path):
                if name == "config":
                    self.config = "\n".join(lines)
                elif name == "file":
                    self.files[words[0]] = "\n".join(lines)
                elif name == "upstream":
                    self.script.append(steps(message(lines, words), words))
                elif name == "request":
                    self.send(lines, words)
                elif name == "expect":
                    self.expect(lines, line_no)
                else:
                    self.fail(line_no, "no such section: " + name)
        except Exception:
            if self.weir:
                sys.stdout.write(self.weir.text()[-3000:])
            raise
        finally:
            self.drop()
            if self.upstream:
                self.upstream.close()
            if self.weir:
                self.weir.close()


def as_text(v):
    return v if isinstance(v, str) else "absent" if v is None else json.dumps(v)


def make(config, files, env):
    w = Weir(config, env=env, start=False)
    for name, text in files.items():
        with open(os.path.join(w.dir, name), "w") as f:
            f.write(text)
    with open(w.file) as f:
        text = f.read().replace("${dir}", w.dir)
    with open(w.file, "w") as f:
        f.write(text)
    w.start()
    return w


def main():
    words = sys.argv[1:]
    passed = failed = 0
    for path in sorted(glob.glob(os.path.join(HERE, "*.case"))):
        if words and not any(w in os.path.basename(path) for w in words):
            continue
        try:
            Case(path).play()
            passed += 1
        except Exception as e:
            failed += 1
            print("FAIL %s: %s: %s" % (os.path.basename(path), type(e).__name__, e))
        sys.stdout.flush()
    print("%d passed, %d failed" % (passed, failed))
    sys.stdout.flush()
    os._exit(1 if failed else 0)


main()
