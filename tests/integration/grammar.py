# SPDX-License-Identifier: Apache-2.0
"""grammar.py -- every recorded stream, said to clients of every dialect: a stream by that dialect's grammar with one end, the same whatever pieces the
bytes come in, and an error but no invented end where the upstream breaks off.  Needs the recordings in $WEIR_SHARED or ../shared."""
import json
import os
import struct
import tempfile
import zlib

from _fields import DIALECTS, STREAM_PATHS, FieldList, Translate, merge
from _grammar import Broken, check
from _weir import ROOT, SANITIZED, Tests

SHARED = os.environ.get("WEIR_SHARED") or os.path.join(os.path.dirname(ROOT), "shared")
FIXTURES = os.path.join(SHARED, "data", "fixtures")
if not os.path.exists(os.path.join(FIXTURES, "index.json")):
    FIXTURES = None
SMALL, CUTS = 6000, (1, 2, 3, 7)
UPSTREAMS = {"openai-chat": "openai", "openai-responses": "responses", "anthropic-messages": "anthropic", "gemini-generate-content": "gemini",
             "bedrock-converse": "bedrock"}

tests = Tests()
translate = Translate()
folder = tempfile.mkdtemp(prefix="weir-grammar-")
lists = {d: FieldList(d) for d in DIALECTS}


def frame(name, payload):
    headers = b"".join(bytes([len(k)]) + k + b"\x07" + struct.pack(">H", len(v)) + v for k, v in
                       ((b":event-type", name.encode()), (b":content-type", b"application/json"), (b":message-type", b"event")))
    head = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = head + struct.pack(">I", zlib.crc32(head)) + headers + payload
    return body + struct.pack(">I", zlib.crc32(body))


def framed(row, text):
    """The recording as it came over the wire, and where its records end."""
    lines = [line for line in text.split("\n") if line]
    if row["dialect"] == "bedrock-converse":
        pieces = [frame(name, json.dumps(payload).encode()) for line in lines for name, payload in json.loads(line).items()]
    elif row["dialect"] == "openai-chat":
        pieces = [("data: %s\n\n" % line).encode() for line in lines] + [b"data: [DONE]\n\n"]
    elif row["dialect"] == "gemini-generate-content":
        pieces = [("data: %s\r\n\r\n" % line).encode() for line in lines]
    else:
        pieces = [("event: %s\ndata: %s\n\n" % (json.loads(line)["type"], line)).encode() for line in lines]
    return pieces


def streams():
    """(name, upstream, pieces).  Files that hold several answers one after the other are parted."""
    for row in json.load(open(os.path.join(FIXTURES, "index.json"))):
        if row["dialect"] not in UPSTREAMS or row["kind"] == "body":
            continue
        text = open(os.path.join(FIXTURES, row["file"]), encoding="utf-8").read()
        up = UPSTREAMS[row["dialect"]]
        if row["kind"] == "sse":
            yield row["file"], up, [r.encode() + b"\n\n" for r in text.replace("\r\n", "\n").split("\n\n") if r.strip()]
            continue
        answers = [text]
        if up == "anthropic" and text.count('"type":"message_start"') > 1 and "tool-search" in row["file"]:
            head, *rest = text.split('{"type":"message_start"')
            answers = ['{"type":"message_start"' + r for r in rest]
        for i, answer in enumerate(answers):
            yield row["file"] + ("#%d" % i if len(answers) > 1 else ""), up, framed(row, answer)


def written(data):
    path = os.path.join(folder, "stream")
    with open(path, "wb") as f:
        f.write(data)
    return path


def ask(up, client, path, cut=0, end=0):
    body = merge(lists[client].base, {} if client in STREAM_PATHS else {"stream": True})
    if client == "openai":
        body["stream_options"] = {"include_usage": True}
    kind = "eventstream" if up == "bedrock" else "sse"
    got = translate.ask("stream", up, client, "POST", STREAM_PATHS.get(client, lists[client].path), json.dumps(body), kind, "200", path, str(cut), str(end))
    assert got["step"] == "sent", got["text"]
    assert got["misuses"] == 0, (up, client, "misuse of the host")
    return got


ALL = list(streams()) if FIXTURES else []
if not FIXTURES:
    assert not os.environ.get("CI"), "no recordings, and in CI nothing may be skipped"
    tests.skip("no recordings in $WEIR_SHARED/data/fixtures or ../shared/data/fixtures")


def each_pair():
    for name, up, pieces in ALL:
        path = written(b"".join(pieces))
        for client in DIALECTS:
            if client != up:
                yield name, up, pieces, path, client


def ended(got):
    return got["finished"] or got["done"]


@tests
def every_recording_in_every_dialect_by_its_grammar():
    wrong, count, unlike, last = [], 0, [], {}
    for name, up, _, path, client in each_pair():
        got = ask(up, client, path)
        count += 1
        try:
            said = check(client, bytes.fromhex(got["out"]))
            if not ended(got) and not said.error:
                wrong.append("%s -> %s: an end is invented" % (name, client))
            if last.setdefault(name, said.text) != said.text and not said.error:
                unlike.append("%s -> %s: another text: %r, %r" % (name, client, said.text[:60], last[name][:60]))
        except Broken as e:
            wrong.append("%s -> %s: %s" % (name, client, e))
    for line in wrong + unlike:
        print("     " + line)
    print("     %d streams" % count)
    assert not wrong and not unlike, (len(wrong), len(unlike), count)


@tests
def the_same_in_whatever_pieces():
    count = cuts = 0
    for name, up, pieces, path, client in each_pair():
        size = sum(map(len, pieces))
        want = ask(up, client, path)["out"]
        for cut in CUTS if size < SMALL else CUTS[-1:] if SANITIZED else (CUTS[count % len(CUTS)], 64 + count % 97):
            assert ask(up, client, path, cut)["out"] == want, (name, client, cut)
            cuts += 1
        count += 1
    print("     %d runs in pieces" % cuts)


@tests
def the_same_records_at_every_byte():
    cuts = 0
    for _, up, pieces in ALL:
        data = b"".join(pieces)[:4000 if not SANITIZED else 1000]       # a cut further on meets nothing new: kinds of records repeat
        got = translate.ask("records", "eventstream" if up == "bedrock" else "sse", written(data))
        assert got["differ"] == 0, (_, got)
        cuts += got["cuts"]
    print("     %d cuts" % cuts)


@tests
def a_stream_that_breaks_off_is_an_error():
    count, wrong, seen = 0, [], {}
    for name, up, pieces, path, client in each_pair():
        seen[up, client] = seen.get((up, client), 0) + 1
        if seen[up, client] > (2 if SANITIZED else 8):                  # of each pair of dialects
            continue
        ends, at = [], 0
        for piece in pieces[:-1]:
            ends += [at + len(piece) // 2, at + len(piece)]
            at += len(piece)
        for end in ends[1::max(1, len(ends) // 9)] + ends[-4:]:
            got = ask(up, client, path, 0, end)
            count += 1
            try:
                said = check(client, bytes.fromhex(got["out"]))
                if bool(said.error) == ended(got) and not (said.error and ended(got)):
                    wrong.append("%s -> %s at %d: ended %s, error %s" % (name, client, end, ended(got), said.error))
            except Broken as e:
                # Before the first byte the error is a body of its own.
                if ended(got) or b'"error"' not in bytes.fromhex(got["out"]) and b"message" not in bytes.fromhex(got["out"]):
                    wrong.append("%s -> %s at %d: %s" % (name, client, end, e))
                elif bytes.fromhex(got["out"])[:1] != b"{":
                    wrong.append("%s -> %s at %d: %s" % (name, client, end, e))
    for line in wrong[:40]:
        print("     " + line)
    print("     %d broken streams" % count)
    assert not wrong, len(wrong)


@tests
def the_grammars_refuse_what_is_broken():
    """One good stream of each dialect, then with its end gone, its end twice, a record cut in two, the first two records the other way round."""
    count = 0
    for name, up, _, path, client in each_pair():
        if up != ("openai" if client == "anthropic" else "anthropic") or count >= 15:
            continue
        good = bytes.fromhex(ask(up, client, path)["out"])
        said = check(client, good)
        records = [r + b"\n\n" for r in good.replace(b"\r\n", b"\n").split(b"\n\n") if r] if client != "bedrock" else split_frames(good)
        if said.error or len(records) < 6 or not said.text:
            continue
        count += 1
        ending = -2 if client == "openai" and said.ends else -1
        bad = {"no end": records[:-1] if client != "bedrock" else records[:-2], "two ends": records + records[-1:], "no beginning": records[1:],
               "cut in two": records[:-1] + [records[-1][:len(records[-1]) // 2]], "the other way round": records[1::-1] + records[2:],
               "on behind the end": records + records[ending - 1:ending]}
        if client == "gemini":            # its records are all alike but for the last
            bad = {k: bad[k] for k in ("no end", "cut in two")}
        for what, pieces in bad.items():
            try:
                check(client, b"".join(pieces))
            except Broken:
                continue
            raise AssertionError((client, name, what))
    assert count >= 5 or not ALL, count


def split_frames(data):
    out = []
    while data:
        n = struct.unpack(">I", data[:4])[0]
        out.append(data[:n])
        data = data[n:]
    return out


def clean():
    translate.close()
    os.unlink(os.path.join(folder, "stream"))
    os.rmdir(folder)


tests.run(clean if ALL else None)
