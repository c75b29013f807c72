# SPDX-License-Identifier: Apache-2.0
"""bedrock.py -- Converse through real sockets: what is signed is what is sent, frames go through byte for byte, a guardrail's
edits change the request, the answer and their checksums, and what is broken is told in a client's own words.

Signatures and frames are checked with Python's hmac and zlib, not by weir.
"""
import hashlib
import hmac
import json
import struct
import urllib.parse
import zlib

from _weir import Tests, Upstream, Weir, answer, request

tests = Tests()
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PLANS = {}


def header(name, value):
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


def frame(name, payload, exception=False):
    kind = "exception" if exception else "event"
    head = header(":%s-type" % kind, name) + header(":content-type", "application/json") + header(":message-type", kind)
    body = json.dumps(payload, ensure_ascii=False).encode()
    out = struct.pack(">II", 16 + len(head) + len(body), len(head))
    out += struct.pack(">I", zlib.crc32(out)) + head + body
    return out + struct.pack(">I", zlib.crc32(out))


def frames(data):
    """[(name, payload)] of a stream whose every length and checksum must be right."""
    out = []
    while data:
        total, n = struct.unpack(">II", data[:8])
        assert struct.unpack(">I", data[8:12])[0] == zlib.crc32(data[:8]), "the first checksum"
        assert struct.unpack(">I", data[total - 4:total])[0] == zlib.crc32(data[:total - 4]), "the second checksum"
        head, named = data[12:12 + n], {}
        while head:
            k, size = head[0], struct.unpack(">H", head[head[0] + 2:head[0] + 4])[0]
            named[head[1:k + 1].decode()] = head[k + 4:k + 4 + size].decode()
            head = head[k + 4 + size:]
        out.append((named.get(":event-type") or named.get(":exception-type"), json.loads(data[12 + n:total - 4])))
        data = data[total:]
    return out


def delta(block, text):
    return frame("contentBlockDelta", {"contentBlockIndex": block, "delta": {"text": text}})


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n\r\n"
USAGE = {"usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 10, "cacheReadInputTokens": 2}, "metrics": {"latencyMs": 7}}
END = frame("contentBlockStop", {"contentBlockIndex": 0}) + frame("messageStop", {"stopReason": "end_turn"})
WHOLE = frame("messageStart", {"role": "assistant"}) + delta(0, "Hel") + delta(0, "lo") + END + frame("metadata", USAGE)


def body(text):
    return {"messages": [{"role": "user", "content": [{"text": text}]}]}


def script(n, message):
    text = json.loads(message[2])["messages"][0]["content"][0]["text"]
    return PLANS.get(text, PLANS["whole"])


def bytewise(data):
    steps = [STREAM]
    for i in range(0, len(data), 7):
        steps += [data[i:i + 7], 0.001]
    return steps + ["close"]


PLANS["whole"] = [STREAM, WHOLE, "close"]
PLANS["cut"] = bytewise(WHOLE)
PLANS["body"] = [answer({"output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}}, "stopReason": "end_turn",
                         "usage": USAGE["usage"], "metrics": {"latencyMs": 7}})]
PLANS["secret one"] = PLANS["body"]
PLANS["masked"] = [STREAM, frame("messageStart", {"role": "assistant"}) + delta(0, "my sec") + delta(0, "ret word") + END +
                   frame("metadata", USAGE), "close"]
PLANS["throttled"] = [STREAM, frame("messageStart", {"role": "assistant"}) + delta(0, "Hel") +
                      frame("throttlingException", {"message": "slow down"}, True), "close"]
PLANS["torn"] = [STREAM, frame("messageStart", {"role": "assistant"}) + delta(0, "Hel") + delta(0, "lo")[:30], "close"]
PLANS["ended early"] = [STREAM, frame("messageStart", {"role": "assistant"}) + delta(0, "Hel"), "close"]
broken = bytearray(delta(0, "lo"))
broken[-5] ^= 1
PLANS["corrupt"] = [STREAM, frame("messageStart", {"role": "assistant"}) + delta(0, "Hel") + bytes(broken) + END, "close"]
PLANS["invalid"] = [answer({"message": "no such thing"}, "400 Bad Request", [("x-amzn-errortype", "ValidationException:http://x/")])]


def config(up, guard=""):
    return '''
providers = ( { name = "aws"; plugin = "bedrock"; url = "%s"; region = "eu-west-1"; access_key = "env:BT_ID"; secret_key = "env:BT_SECRET";
                session_token = "env:BT_TOKEN"; models = [ "m=%s" ]; } );
%s
''' % (up.url, MODEL, guard)


ENV = {"BT_ID": "AKIDEXAMPLE", "BT_SECRET": SECRET, "BT_TOKEN": "SESSION=="}


def signature(message):
    """What the signature of a request as it came must be."""
    head = {k.decode().lower(): v.decode() for k, v in message[1]}
    method, path, _ = message[0].decode().split(" ")
    given = dict(p.strip().split("=", 1) for p in head["authorization"].split(" ", 1)[1].split(","))
    scope = given["Credential"].split("/", 1)[1]
    names = given["SignedHeaders"].split(";")
    canonical = "\n".join([method, urllib.parse.quote(path, safe="/-_.~"), ""] + ["%s:%s" % (n, head[n]) for n in names] +
                          ["", ";".join(names), hashlib.sha256(message[2]).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", head["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return given["Signature"], hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), scope, names


def post(w, action, text):
    return request(w.port, "POST", "/model/m/" + action, body(text))


@tests
def signed_and_untouched():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        for action, text in (("converse", "body"), ("converse-stream", "whole"), ("converse-stream", "cut")):
            status, head, got = post(w, action, text)
            assert status == 200, (status, got)
            m = up.requests[-1]
            said, want, scope, names = signature(m)
            assert said == want, "a wrong signature"
            assert scope.endswith("/eu-west-1/bedrock/aws4_request"), scope
            assert names == ["content-type", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"], names
            assert m[0].decode().split(" ")[1] == "/model/" + MODEL.replace(":", "%3A") + "/" + action, m[0]
            assert json.loads(m[2]) == body(text)
            if action == "converse":
                assert json.loads(got)["output"]["message"]["content"][0]["text"] == "Hello"
            else:
                assert head["content-type"] == "application/vnd.amazon.eventstream", head
                assert got == WHOLE, "not byte for byte"
        for row in w.wait_records(3):
            assert (row["outcome"], row["input"], row["cache_read"], row["output"], row["finish"]) == ("ok", 3, 2, 5, "end_turn"), row


@tests
def edits_are_signed_and_framed():
    up = Upstream(script)
    guard = 'guardrails = ( { name = "words"; plugin = "deny"; words = [ "secret" ]; action = "mask"; } );'
    with Weir(config(up, guard), ENV) as w:
        status, _, got = post(w, "converse", "secret one")
        assert status == 200, got
        m = up.requests[-1]
        assert json.loads(m[2]) == body("[removed] one"), m[2]
        assert signature(m)[0] == signature(m)[1], "the edits are not signed"
        status, _, got = post(w, "converse-stream", "masked")
        assert status == 200, got
        said = frames(got)
        assert "".join(p["delta"]["text"] for n, p in said if n == "contentBlockDelta") == "my [removed] word", said
        assert [n for n, _ in said][-3:] == ["contentBlockStop", "messageStop", "metadata"], said


@tests
def errors():
    up = Upstream(script)
    with Weir(config(up), ENV) as w:
        status, _, got = post(w, "converse", "invalid")
        assert status == 400 and json.loads(got) == {"message": "no such thing"}, (status, got)
        _, _, got = post(w, "converse-stream", "throttled")
        assert frames(got)[-1] == ("throttlingException", {"message": "slow down"}), got
        for plan in "torn", "ended early", "corrupt":
            status, _, got = post(w, "converse-stream", plan)
            assert status == 200
            name, payload = frames(got)[-1]
            assert name.endswith("Exception") and payload["message"], (plan, frames(got))
        status, _, got = request(w.port, "POST", "/model/none/converse", body("x"))
        assert status == 404 and json.loads(got)["__type"] == "ResourceNotFoundException", got
        status, _, got = request(w.port, "POST", "/model/m/invoke", {})
        assert status == 400 and json.loads(got)["__type"] == "ValidationException", got
        rows = w.wait_records(5)
        assert all(r["outcome"] != "ok" for r in rows), rows


tests.run()
