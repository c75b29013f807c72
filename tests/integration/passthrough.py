# SPDX-License-Identifier: Apache-2.0
"""passthrough.py -- everything that is not JSON chat, through real sockets: forms, files, batches, binary answers, and what is
refused with 501."""
import hashlib
import json
import os
import socket
import time

from _weir import SANITIZED, Tests, Upstream, Weir, answer, read_message, request

tests = Tests()
MOCK = 'providers = ( { name = "mock"; models = [ "mock/*" ]; } );\n'


# ---- what is not served ----

# method, path, a word of the sentence, the dialect
UNSERVED = [
    ("GET", "/v1/realtime", "chat/completions", "openai"),
    ("POST", "/v1/realtime/sessions", "chat/completions", "openai"),
    ("POST", "/v1/realtime/client_secrets", "chat/completions", "openai"),
    ("GET", "/v1/responses/resp_1", "whole history", "responses"),
    ("DELETE", "/v1/responses/resp_1", "whole history", "responses"),
    ("POST", "/v1/responses/resp_1/cancel", "whole history", "responses"),
    ("GET", "/v1/responses/resp_1/input_items", "whole history", "responses"),
    ("POST", "/v1/responses/input_tokens", "usage", "responses"),
    ("POST", "/v1/responses/compact", "compacted", "responses"),
    ("POST", "/v1/conversations", "whole history", "openai"),
    ("GET", "/v1/conversations/conv_1/items", "whole history", "openai"),
    ("POST", "/v1/assistants", "instructions", "openai"),
    ("POST", "/v1/assistants/asst_1", "instructions", "openai"),
    ("POST", "/v1/threads", "whole history", "openai"),
    ("POST", "/v1/threads/t/runs", "whole history", "openai"),
    ("GET", "/v1/vector_stores", "embeddings", "openai"),
    ("POST", "/v1/vector_stores/vs/search", "embeddings", "openai"),
    ("POST", "/v1/fine_tuning/jobs", "models", "openai"),
    ("GET", "/v1/fine_tuning/jobs/j/events", "models", "openai"),
]


@tests
def what_is_not_served_names_the_alternative():
    with Weir(MOCK) as w:
        for method, path, word, dialect in UNSERVED:
            status, headers, body = request(w.port, method, path, {} if method == "POST" else None)
            error = json.loads(body)["error"]
            assert status == 501 and error["code"] == "not_implemented", (path, status, body)
            assert word in error["message"] and error["type"] == "server_error", (path, error)
        denies = w.wait_records(len(UNSERVED), "deny")
        assert [(d["status"], d["code"], d["task"], d["dialect"]) for d in denies] == \
            [(501, "not_implemented", "unserved", d) for _, _, _, d in UNSERVED], denies


@tests
def a_websocket_is_refused_in_the_clients_dialect():
    ask = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    with Weir(MOCK) as w:
        for path in ("/v1/realtime?model=gpt-realtime", "/v1/responses", "/v1/chat/completions", "/v1/models"):
            status, _, body = raw(w.port, "GET", path, ask)
            error = json.loads(body)["error"]
            assert status == 501 and error["code"] == "websocket_not_served" and "server-sent" in error["message"], (path, body)
        status, _, body = raw(w.port, "GET", "/v1/messages", ask)
        assert status == 501 and json.loads(body)["type"] == "error", body       # Anthropic's shape
        status, _, body = raw(w.port, "GET", "/v1beta/models", ask)
        assert status == 501 and json.loads(body)["error"]["status"] == "UNIMPLEMENTED", body
        assert len(w.wait_records(6, "deny")) == 6


def raw(port, method, path, headers=(), body=b"", timeout=20):
    """As request(), but the head is the caller's alone."""
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: localhost"] + ["%s: %s" % h for h in headers]
        s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        first, got, answer, _ = read_message(s, timeout, method == "HEAD")
        return int(first.split()[1]), {k.decode().lower(): v.decode() for k, v in got}, answer


@tests
def refusals_under_every_dialects_paths_leave_a_record():
    with Weir(MOCK + "max_body = 65536;\n") as w:
        rows = [("GET", "/v1beta/nope", None, 404), ("GET", "/model/", None, 404), ("PUT", "/model/m/converse", None, 405),
                ("DELETE", "/v1beta/models/m", None, 405), ("GET", "/v1beta", None, 404)]
        for method, path, body, status in rows:
            assert request(w.port, method, path, body)[0] == status, path
        for path in ("/v1beta/models/m:generateContent", "/model/m/converse", "/v1/messages"):
            status, _, body = raw(w.port, "POST", path, [("Content-Type", "application/json"), ("Content-Length", "70000")])
            assert status == 413, (path, status)
            rows.append(("POST", path, None, 413))
        assert json.loads(body)["error"]["type"] == "request_too_large", body      # in the dialect's words
        assert request(w.port, "GET", "/v1betas/nope")[0] == 404                   # not of the API
        assert request(w.port, "GET", "/favicon.ico")[0] == 404
        denies = w.wait_records(len(rows), "deny")
        assert [(d["path"], d["status"]) for d in denies] == [(r[1], r[3]) for r in rows], denies


# ---- what goes through ----

def config(up, more="", provider=""):
    return ('providers = ( { name = "openai"; plugin = "openai"; key = "env:PASS_KEY"; url = "%s/v1"; '
            'models = [ "openai/*=*", "*" ]; %s } );\n' % (up.url, provider)) + more


def weir(up, more="", provider="", **args):
    return Weir(config(up, more, provider), env={"PASS_KEY": "sk-up-0123456789"}, **args)


def deny(action, more=""):
    return ('guardrails = ( { name = "words"; plugin = "deny"; words = [ "bluebird" ]; action = "%s"; mask = "[x]"; %s } );\n'
            % (action, more))


BOUNDARY = "----weirtest7MA4YWxk"


def part(name, body, filename=None, kind=None):
    head = '--%s\r\nContent-Disposition: form-data; name="%s"' % (BOUNDARY, name)
    if filename is not None:
        head += '; filename="%s"' % filename
    head += "\r\n"
    if kind:
        head += "Content-Type: %s\r\n" % kind
    return head.encode() + b"\r\n" + (body if isinstance(body, bytes) else body.encode()) + b"\r\n"


def form(*parts):
    return b"".join(parts) + ("--%s--\r\n" % BOUNDARY).encode()


def post_form(w, path, body, headers=(), chunked=False):
    head = [("Content-Type", "multipart/form-data; boundary=" + BOUNDARY), ("Connection", "close")] + list(headers)
    if not chunked:
        return raw(w.port, "POST", path, head + [("Content-Length", str(len(body)))], body)
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7001]), body[i:i + 7001]) for i in range(0, len(body), 7001))
    return raw(w.port, "POST", path, head + [("Transfer-Encoding", "chunked")], pieces + b"0\r\n\r\n")


def sent(up, n=-1):
    """(method and target, headers, body) that the upstream got."""
    first, headers, body, _ = up.requests[n]
    return first.decode().rsplit(" ", 1)[0], {k.decode().lower(): v.decode() for k, v in headers}, body


SOUND = bytes(range(256)) * 40                    # no text


@tests
def an_image_is_made_and_its_prompt_guarded():
    got = {"created": 1, "data": [{"b64_json": "QUJD" * 100000, "revised_prompt": "a bluebird, oil"}],
           "usage": {"input_tokens": 7, "output_tokens": 90, "total_tokens": 97}}
    up = Upstream(lambda n, m: [answer(got)])
    with weir(up, deny("mask")) as w:
        status, _, body = request(w.port, "POST", "/v1/images/generations",
                                  {"model": "openai/gpt-image-1", "prompt": "paint a bluebird", "size": "1024x1024"})
        assert status == 200, body
        target, headers, out = sent(up)
        assert target == "POST /v1/images/generations" and headers["authorization"] == "Bearer sk-up-0123456789", (target, headers)
        assert json.loads(out) == {"model": "gpt-image-1", "prompt": "paint a [x]", "size": "1024x1024"}, out
        back = json.loads(body)
        assert back["data"][0]["revised_prompt"] == "a [x], oil" and back["data"][0]["b64_json"] == got["data"][0]["b64_json"]
        close = w.wait_records(1)[0]
        assert (close["task"], close["input"], close["output"]) == ("image", 7, 90), close
        assert close["unseen_out"] > 400000, close
    up.close()


@tests
def pictures_are_limited_by_an_option_of_their_own():
    up = Upstream(lambda n, m: [answer({"created": 1, "data": [{"b64_json": "A" * 100000}]})])
    ask = {"model": "gpt-image-1", "prompt": "p"}
    with weir(up, "max_response = 4096; max_media = 200000;\n") as w:
        assert request(w.port, "POST", "/v1/images/generations", ask)[0] == 200
    with weir(up, "max_response = 4096; max_media = 50000;\n") as w:
        status, _, body = request(w.port, "POST", "/v1/images/generations", ask)
        assert status == 502 and b"upstream_too_large" in body, body
    up.close()


@tests
def speech_comes_as_it_is():
    up = Upstream(lambda n, m: [answer(SOUND, kind="audio/mpeg")])
    with weir(up, deny("block")) as w:
        ask = {"model": "openai/gpt-4o-mini-tts", "input": "hello", "voice": "alloy", "instructions": "slowly"}
        status, headers, body = request(w.port, "POST", "/v1/audio/speech", ask)
        assert status == 200 and body == SOUND and headers["content-type"] == "audio/mpeg", headers
        assert headers["content-length"] == str(len(SOUND)), headers
        for field in ("input", "instructions"):
            status, _, body = request(w.port, "POST", "/v1/audio/speech", dict(ask, **{field: "the bluebird"}))
            assert status == 403 and b"denied_content" in body, body
        assert len(up.requests) == 1
        close = w.wait_records(1)[0]
        assert close["unseen_out"] == len(SOUND) and close["task"] == "speech", close
    up.close()


@tests
def sound_that_no_guardrail_hears_can_be_refused():
    up = Upstream(lambda n, m: [answer(SOUND, kind="audio/mpeg")])
    ask = {"model": "gpt-4o-mini-tts", "input": "hello", "voice": "alloy"}
    with weir(up, deny("block", 'on_unseen = "block";')) as w:
        status, _, body = request(w.port, "POST", "/v1/audio/speech", ask)
        assert status == 403 and json.loads(body)["error"]["code"] == "unseen_content", body
        status, _, body = post_form(w, "/v1/audio/transcriptions",
                                    form(part("model", "whisper-1"), part("file", SOUND, "a.mp3", "audio/mpeg")))
        assert status == 403 and json.loads(body)["error"]["code"] == "unseen_content", body
        assert len(up.requests) == 1                                     # the speech only: its answer was refused
        row = w.wait_records(1, "deny")[0]
        assert row["unseen"] == len(SOUND) and row["outcome"] == "denied", row
    with weir(up, deny("block", 'on_unseen = "block"; mode = "observe";')) as w:
        assert request(w.port, "POST", "/v1/audio/speech", ask)[0] == 200
        assert "words.would_block" in json.dumps(w.wait_records(1)), w.records()
    up.close()


@tests
def a_slow_client_holds_the_sound_back():
    total = 16 << 20
    up = Upstream(lambda n, m: [answer(b"", kind="audio/pcm").replace(b"Content-Length: 0", b"Content-Length: %d" % total),
                                *[b"s" * (1 << 20)] * 16])
    with weir(up) as w:
        with socket.create_connection(("127.0.0.1", w.port)) as s:
            ask = json.dumps({"model": "tts-1", "input": "x", "voice": "alloy"}).encode()
            s.sendall(b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                      % len(ask) + ask)
            time.sleep(1)
            pages = [int(line.split()[1]) for pid in w.children() for line in open("/proc/%d/status" % pid)
                     if line.startswith("RssAnon")]
            assert max(pages) < 12000 or SANITIZED, pages                             # kB
            _, _, body, _ = read_message(s, 30)
            assert len(body) == total
    up.close()


@tests
def a_broken_off_sound_is_not_told_as_whole():
    up = Upstream(lambda n, m: [b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "close"])
    with weir(up) as w:
        with socket.create_connection(("127.0.0.1", w.port)) as s:
            ask = json.dumps({"model": "tts-1", "input": "x", "voice": "alloy"}).encode()
            s.sendall(b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                      % len(ask) + ask)
            got = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    break
                got += piece
            assert b"abc" in got and not got.endswith(b"0\r\n\r\n"), got[-80:]
        assert w.wait_records(1)[0]["outcome"] == "truncated"
    up.close()


@tests
def a_form_goes_through_but_for_its_model():
    up = Upstream(lambda n, m: [answer({"text": "hello"})])
    for place in (0, 1):                                                 # the model before the file, and behind it
        parts = [part("file", SOUND, "a b.mp3", "audio/mpeg"), part("language", "en"), part("timestamp_granularities[]", "word"),
                 part("timestamp_granularities[]", "segment")]
        for model in ("openai/whisper-1", "whisper-1"):
            all_parts = parts[:]
            all_parts.insert(0 if place == 0 else len(parts), part("model", model))
            for chunked in (False, True):
                for more in ("", "form_memory = 0;\n", "form_memory = 4096;\n"):
                    with weir(up, more) as w:
                        status, _, body = post_form(w, "/v1/audio/transcriptions", form(*all_parts), chunked=chunked)
                        assert status == 200 and json.loads(body) == {"text": "hello"}, body[:200]
                        target, headers, out = sent(up)
                        assert out == form(*all_parts).replace(b"openai/whisper-1", b"whisper-1")
                        assert headers["content-type"] == "multipart/form-data; boundary=" + BOUNDARY, headers
                        assert target == "POST /v1/audio/transcriptions"
                        row = w.wait_records(1, "open")[0]
                        assert (row["model"], row["upstream"], row["unseen"]) == (model, "whisper-1", len(SOUND)), row
                        assert row["bytes_in"] == len(form(*all_parts)), row
                        assert not [n for n in os.listdir(w.state) if n.startswith("form-")]
    up.close()


@tests
def texts_of_a_form_are_guarded():
    up = Upstream(lambda n, m: [answer({"text": "a bluebird", "words": [{"word": "a"}, {"word": "bluebird"}]})])
    ask = form(part("model", "openai/whisper-1"), part("prompt", "say bluebird twice: bluebird"),
               part("file", SOUND, "bluebird.mp3", "audio/mpeg"))
    with weir(up, deny("block")) as w:
        status, _, body = post_form(w, "/v1/audio/transcriptions", ask)
        assert status == 403 and b"denied_content" in body and not up.requests, body
    with weir(up, deny("mask")) as w:
        status, _, body = post_form(w, "/v1/audio/transcriptions", ask)
        assert status == 200 and json.loads(body) == {"text": "a [x]", "words": None}, body
        assert sent(up)[2] == ask.replace(b"bluebird", b"[x]").replace(b"openai/", b"")
    up.close()


@tests
def a_transcription_as_text_is_guarded_too():
    for kind, text in (("text/plain; charset=utf-8", b"a bluebird sings\n"), ("text/vtt", b"WEBVTT\n\n00:00 --> 00:01\nbluebird\n")):
        up = Upstream(lambda n, m: [answer(text, kind=kind)])
        ask = form(part("model", "whisper-1"), part("response_format", "text"), part("file", SOUND, "a.mp3", "audio/mpeg"))
        with weir(up) as w:
            status, headers, body = post_form(w, "/v1/audio/transcriptions", ask)
            assert (status, body, headers["content-type"]) == (200, text, kind), (status, headers, body)
        with weir(up, deny("mask")) as w:
            status, headers, body = post_form(w, "/v1/audio/transcriptions", ask)
            assert (status, body, headers["content-type"]) == (200, text.replace(b"bluebird", b"[x]"), kind), (status, headers, body)
        with weir(up, deny("block")) as w:
            assert post_form(w, "/v1/audio/transcriptions", ask)[0] == 403
        up.close()


@tests
def a_streamed_transcription_is_guarded():
    rows = [{"type": "transcript.text.delta", "delta": "a blue"}, {"type": "transcript.text.delta", "delta": "bird sings"},
            {"type": "transcript.text.done", "text": "a bluebird sings",
             "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "total_tokens": 19}}]
    stream = b"".join(b"data: " + json.dumps(r).encode() + b"\n\n" for r in rows)
    up = Upstream(lambda n, m: [answer(stream, kind="text/event-stream")])
    ask = form(part("model", "gpt-4o-transcribe"), part("stream", "true"), part("file", SOUND, "a.mp3", "audio/mpeg"))
    with weir(up) as w:
        status, _, body = post_form(w, "/v1/audio/transcriptions", ask)
        assert status == 200 and body == stream, body
        close = w.wait_records(1)[0]
        assert (close["outcome"], close["input"], close["output"]) == ("ok", 14, 5), close
    with weir(up, deny("mask")) as w:
        status, _, body = post_form(w, "/v1/audio/transcriptions", ask)
        got = [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: ")]
        assert "".join(r.get("delta", "") for r in got) == "a [x] sings", body
        assert got[-1]["text"] == "a [x] sings", body
    up.close()


@tests
def image_edits_carry_several_pictures():
    up = Upstream(lambda n, m: [answer({"created": 1, "data": [{"b64_json": "QUJD"}]})])
    ask = form(part("image[]", SOUND, "1.png", "image/png"), part("image[]", SOUND[:99], "2.png", "image/png"),
               part("mask", SOUND, "m.png", "image/png"), part("prompt", "brighter"), part("model", "gpt-image-1"))
    with weir(up) as w:
        assert post_form(w, "/v1/images/edits", ask)[0] == 200 and sent(up)[2] == ask
        ask = form(part("image", SOUND, "1.png", "image/png"), part("model", "dall-e-2"))
        assert post_form(w, "/v1/images/variations", ask)[0] == 200 and sent(up)[2] == ask
        assert [r["task"] for r in w.wait_records(2)] == ["image_edit", "image_variation"]
    up.close()


BAD_FORMS = [
    (b"", "breaks off"),
    (b"x" + form(part("model", "m")), "does not begin"),
    (form(part("model", "m"))[:-4], "breaks off"),
    (form(part("model", "m")) + b"x", "follows the end"),
    (form(part("model", "m")).replace(b"\r\nContent", b"\nContent"), "begins with its boundary"),
    (form(part("model", "m", kind="text/plain\r\nX-Other: 1")), "header that it may not have"),
    (form(part("model", "m", kind="text/plain\r\nContent-Type: a/b")), "header that it may not have"),
    (form(part("model", "m", kind="text/plain\r\nContent-Transfer-Encoding: base64")), "encoded"),
    (form(part('a\\"; x="', "m")), "cannot be read clearly"),
    (form(part('a"; filename*="utf-8', "m")), "other members"),
    (form(part('a"; name="b', "m")), "other members"),
    (form(part("model", "m"), part("model", "n")), "array"),
    (form(part("Model", "m")), "model"),
    (form(part("prompt", "no model")), "model"),
    (form(part("model", "m"), part("prompt", b"\xff\xfe")), "UTF-8"),
]


@tests
def a_form_that_readers_could_read_in_two_ways_is_refused():
    up = Upstream(lambda n, m: [answer({"text": "hello"})])
    with weir(up) as w:
        for body, word in BAD_FORMS:
            status, _, said = post_form(w, "/v1/audio/transcriptions", body)
            assert status == 400 and word in json.loads(said)["error"]["message"], (body, said)
        for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=a; boundary=b",
                     'multipart/form-data; boundary="a b"', "multipart/form-data; boundary=" + "a" * 71):
            status, _, said = raw(w.port, "POST", "/v1/audio/transcriptions",
                                  [("Content-Type", kind), ("Content-Length", "3")], b"abc")
            assert status == 400 and b"boundary" in said, (kind, said)
        assert not up.requests
        # no form where none belongs
        status, _, said = post_form(w, "/v1/chat/completions", form(part("model", "m")))
        assert status == 415, said
    up.close()


@tests
def a_form_has_a_limit():
    up = Upstream(lambda n, m: [answer({"text": "hello"})])
    ask = form(part("model", "whisper-1"), part("file", SOUND * 30, "a.mp3", "audio/mpeg"))
    with weir(up, "max_form = 100000; max_body = 20000;\n") as w:
        for chunked in (False, True):
            status, _, said = post_form(w, "/v1/audio/transcriptions", ask, chunked=chunked)
            assert status == 413 and b"max_form" in said, said
        small = form(part("model", "whisper-1"), part("file", SOUND * 5, "a.mp3", "audio/mpeg"))
        assert post_form(w, "/v1/audio/transcriptions", small)[0] == 200   # more than max_body
    keys = 'keys = ( { id = "k"; sha256 = "%s"; } );\n' % hashlib.sha256(b"secret-key").hexdigest()
    with weir(up, keys + "max_body = 20000;\n") as w:
        assert post_form(w, "/v1/audio/transcriptions", ask)[0] == 413    # from a stranger
        assert post_form(w, "/v1/audio/transcriptions", ask, [("Authorization", "Bearer secret-key")])[0] == 200
    up.close()


@tests
def a_large_form_is_not_held_in_memory():
    up = Upstream(lambda n, m: [answer({"text": "hello"})])
    ask = form(part("file", SOUND * 1600, "a.mp3", "audio/mpeg"), part("model", "openai/whisper-1"))
    with weir(up) as w:
        assert post_form(w, "/v1/audio/transcriptions", ask)[0] == 200
        assert sent(up)[2] == ask.replace(b"openai/", b"") and len(ask) > 15 << 20
        peak = [int(line.split()[1]) for pid in w.children() for line in open("/proc/%d/status" % pid)
                if line.startswith("RssAnon")]
        assert max(peak) < 12000 or SANITIZED, peak       # a sanitizer keeps what was freed, and more
    up.close()


# ---- what is kept at the provider ----

FILE = {"id": "file-abc", "object": "file", "bytes": 3, "filename": "a.jsonl", "purpose": "batch"}


def line(model, text="hi"):
    return json.dumps({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions",
                       "body": {"model": model, "messages": [{"role": "user", "content": text}]}}) + "\n"


def batch_file(lines, purpose="batch", name="in.jsonl"):
    return form(part("purpose", purpose), part("file", lines, name, "application/jsonl"))


@tests
def files_go_to_the_one_provider():
    up = Upstream(lambda n, m: [answer(FILE)])
    with weir(up) as w:
        rows = [("GET", "/v1/files?limit=2&after=file-1", None), ("GET", "/v1/files/file-abc", None),
                ("DELETE", "/v1/files/file-abc", None), ("GET", "/v1/batches", None), ("GET", "/v1/batches/batch_1", None),
                ("POST", "/v1/batches/batch_1/cancel", None), ("POST", "/v1/uploads/upload_1/cancel", b""),
                ("POST", "/v1/uploads/upload_1/complete", {"part_ids": ["part_1", "part_2"]}),
                ("POST", "/v1/batches", {"input_file_id": "file-abc", "endpoint": "/v1/chat/completions", "completion_window": "24h"}),
                ("POST", "/v1/uploads", {"purpose": "user_data", "filename": "a.pdf", "bytes": 9, "mime_type": "application/pdf"})]
        for method, path, body in rows:
            status, _, said = request(w.port, method, path, body)
            assert status == 200 and json.loads(said) == FILE, (path, status, said)
            target, headers, out = sent(up)
            assert target == method + " " + path, target
            assert out == (json.dumps(body).encode() if isinstance(body, dict) else b""), (path, out)
            assert "content-type" not in headers or out, headers
        ask = form(part("data", SOUND, "blob", "application/octet-stream"))
        assert post_form(w, "/v1/uploads/upload_1/parts", ask)[0] == 200 and sent(up)[2] == ask
        ask = form(part("purpose", "assistants"), part("file", SOUND, "a.pdf", "application/pdf"))
        assert post_form(w, "/v1/files", ask)[0] == 200 and sent(up)[2] == ask
        closes = w.wait_records(len(rows) + 2)
        assert {c["task"] for c in closes} == {"file", "upload", "batch"} and all(c["provider"] == "openai" for c in closes)
    up.close()


@tests
def a_path_that_could_be_another_one_is_not_passed_on():
    up = Upstream(lambda n, m: [answer(FILE)])
    with weir(up) as w:
        for path in ("/v1/files/..", "/v1/files/../chat/completions", "/v1/files/%2e%2e/models", "/v1/files/a/b", "/v1/files/a/content/x",
                     "/v1/files/a%2fb", "/v1/batches/./cancel", "/v1/files/" + "a" * 300, "/v1/files/a;b"):
            status, _, said = request(w.port, "GET", path)
            assert status in (400, 404, 501), (path, status, said)
        assert request(w.port, "GET", "/v1/files/a", headers=[("Content-Length", "0")])[0] == 200
        status, _, said = raw(w.port, "GET", "/v1/files/a", [("Content-Length", "2")], b"{}")
        assert status == 400 and b"body_unexpected" in said, said
        assert len(up.requests) == 1
    up.close()


@tests
def a_file_comes_back_as_it_is():
    for data, kind in ((SOUND, "application/octet-stream"), (b"", "application/octet-stream"), (b'{"a": 1}\n{"b": "text"}\n', "application/json")):
        up = Upstream(lambda n, m: [answer(data, kind=kind, headers=[("Content-Disposition", 'attachment; filename="out.jsonl"')])])
        for more in ("", deny("mask")):
            with weir(up, more) as w:
                status, headers, body = request(w.port, "GET", "/v1/files/file-abc/content")
                assert (status, body, headers["content-type"]) == (200, data, kind), (status, headers, body[:80])
                assert headers["content-disposition"] == 'attachment; filename="out.jsonl"', headers
                close = w.wait_records(1)[0]
                assert close.get("unseen_out", 0) == (len(data) if data == SOUND and more else 0), close
        with weir(up, deny("mask", 'on_unseen = "block";')) as w:
            assert request(w.port, "GET", "/v1/files/file-abc/content")[0] == (403 if data == SOUND else 200)
        up.close()


@tests
def the_results_of_a_batch_are_guarded():
    rows = b'{"id":"1","text":"a \\u0062luebird"}\n{"id":"2","text":"none"}\n'
    up = Upstream(lambda n, m: [answer(rows, kind="application/octet-stream")])
    with weir(up, deny("mask")) as w:
        status, _, body = request(w.port, "GET", "/v1/files/file-abc/content")
        assert status == 200 and body == rows.replace(b"\\u0062luebird", b"[x]"), body
    with weir(up, deny("block")) as w:
        assert request(w.port, "GET", "/v1/files/file-abc/content")[0] == 403
    up.close()


@tests
def each_line_of_a_batch_is_a_request():
    up = Upstream(lambda n, m: [answer(FILE)])
    with weir(up, deny("mask")) as w:
        lines = line("openai/gpt-4o", "the bluebird") + line("gpt-4o-mini", "a \u00e9t\u00e9")
        status, _, said = post_form(w, "/v1/files", batch_file(lines))
        assert status == 200, said
        out = sent(up)[2]
        assert out == batch_file(lines.replace("openai/gpt-4o", "gpt-4o").replace("bluebird", "[x]")), out
        assert "unseen" not in w.wait_records(1, "open")[0]
    with weir(up, deny("block")) as w:
        assert post_form(w, "/v1/files", batch_file(line("gpt-4o", "the \\u0062luebird")))[0] in (200, 403)
        escaped = line("gpt-4o", "the bluebird").replace("bluebird", "\\u0062luebird")
        assert post_form(w, "/v1/files", batch_file(escaped))[0] == 403
        assert post_form(w, "/v1/files", form(part("purpose", "assistants"), part("file", "a bluebird", "a.txt", "text/plain")))[0] == 403
    up.close()


@tests
def a_batch_asks_for_no_model_that_its_key_may_not_have():
    up = Upstream(lambda n, m: [answer(FILE)])
    keys = 'keys = ( { id = "k"; sha256 = "%s"; models = [ "gpt-4o-mini" ]; } );\n' % hashlib.sha256(b"secret-key").hexdigest()
    key = [("Authorization", "Bearer secret-key")]
    with weir(up, keys) as w:
        assert post_form(w, "/v1/files", batch_file(line("gpt-4o-mini")), key)[0] == 200
        status, _, said = post_form(w, "/v1/files", batch_file(line("gpt-4o-mini") + line("gpt-4o")), key)
        assert status == 403 and b"model_not_allowed" in said, said
        for bad in (line("gpt-4o").replace('"model"', '"\\u006dodel"'), line("gpt-4o").replace('"model"', '"Model"'),
                    line("gpt-4o").replace('"body"', '"Body"'), "[1]\n", "{}\n", "no JSON\n", "", SOUND, line("gpt-4o")[:-3]):
            status, _, said = post_form(w, "/v1/files", batch_file(bad), key)
            assert status == 400 and (b"invalid_batch" in said or b"batch_unreadable" in said), (bad, said)
        status, _, said = request(w.port, "POST", "/v1/uploads", {"purpose": "batch", "filename": "a", "bytes": 1, "mime_type": "a/b"}, key)
        assert status == 400 and b"batch_unreadable" in said, said
        assert len(up.requests) == 1
    up.close()


@tests
def what_names_no_model_goes_where_it_is_told():
    one, two = Upstream(lambda n, m: [answer({"id": "one"})]), Upstream(lambda n, m: [answer({"id": "two"})])

    def two_of_them(home="", more=""):
        return 'providers = ( { name = "a"; plugin = "openai"; url = "%s"; auth = "none"; }, ' \
               '{ name = "b"; plugin = "openai"; url = "%s"; auth = "none"; %s %s } );\n' % (one.url, two.url, home, more)

    def ask(w, headers=()):
        status, _, said = request(w.port, "GET", "/v1/files/f", headers=headers)
        said = json.loads(said)
        return said["id"] if status == 200 else (status, said["error"]["code"])

    with Weir(two_of_them()) as w:
        assert ask(w) == (400, "provider_unclear")
        assert ask(w, [("x-weir-provider", "a")]) == "one" and ask(w, [("x-weir-provider", "b")]) == "two"
        assert ask(w, [("x-weir-provider", "c")]) == (404, "provider_not_found")
    with Weir(two_of_them("home = true;")) as w:
        assert ask(w) == "two" and ask(w, [("x-weir-provider", "a")]) == "one"
    keys = 'keys = ( { id = "k"; sha256 = "%s"; providers = [ "a" ]; } );\n' % hashlib.sha256(b"secret-key").hexdigest()
    with Weir(two_of_them("home = true;") + keys) as w:
        key = [("Authorization", "Bearer secret-key")]
        assert ask(w, key) == "one" and ask(w, key + [("x-weir-provider", "b")]) == (403, "provider_not_allowed")
        assert ask(w)[0] == 401
    with Weir(MOCK) as w:
        assert ask(w)[0] == 404                                          # nobody is there to pass it to
        status, _, said = request(w.port, "POST", "/v1/images/generations", {"model": "mock/echo", "prompt": "x"})
        assert status in (403, 404), said
    one.close()
    two.close()


@tests
def anthropics_files_and_batches():
    up = Upstream(lambda n, m: [answer({"id": "msgbatch_1", "type": "message_batch"})])
    rows = b'{"custom_id":"1","result":{"type":"succeeded","message":{"content":[{"type":"text","text":"bluebird"}]}}}\n'
    results = Upstream(lambda n, m: [answer(rows, kind="application/x-jsonl")])

    def conf(at, more=""):
        return 'providers = ( { name = "claude"; plugin = "anthropic"; key = "env:PASS_KEY"; url = "%s/v1"; models = [ "anthropic/*=*", ' \
               '"claude-*" ]; }, { name = "o"; plugin = "openai"; url = "%s"; auth = "none"; } );\n' % (at.url, at.url) + more

    version = [("anthropic-version", "2023-06-01"), ("anthropic-beta", "files-api-2025-04-14")]
    env = {"PASS_KEY": "sk-ant-0123456789"}

    def params(model, text="hi", **more):
        return dict({"custom_id": "1", "params": {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": text}]}}, **more)

    with Weir(conf(up, deny("mask")), env=env) as w:
        for method, path in (("GET", "/v1/files?limit=1"), ("GET", "/v1/files/file_1"), ("DELETE", "/v1/files/file_1"),
                             ("GET", "/v1/messages/batches?limit=2"), ("GET", "/v1/messages/batches/msgbatch_1"),
                             ("DELETE", "/v1/messages/batches/msgbatch_1"), ("POST", "/v1/messages/batches/msgbatch_1/cancel")):
            assert request(w.port, method, path, headers=version)[0] == 200, path
            target, headers, _ = sent(up)
            assert target == method + " " + path and headers["x-api-key"] == "sk-ant-0123456789", (target, headers)
            assert headers["anthropic-beta"] == "files-api-2025-04-14", headers
        body = {"requests": [params("anthropic/claude-opus-4-5", "the bluebird"), params("claude-haiku-4-5")]}
        status, _, said = request(w.port, "POST", "/v1/messages/batches", body, version)
        assert status == 200, said
        want = {"requests": [params("claude-opus-4-5", "the [x]"), params("claude-haiku-4-5")]}
        assert json.loads(sent(up)[2]) == want, sent(up)[2]
        status, _, said = request(w.port, "POST", "/v1/messages/batches", {"requests": [params("gpt-4o")]}, version)
        assert status == 404 and json.loads(said)["type"] == "error", said
        ask = form(part("file", SOUND, "a.pdf", "application/pdf"))
        assert post_form(w, "/v1/files", ask, version)[0] == 200 and sent(up)[2] == ask
        assert request(w.port, "GET", "/v1/files/f")[0] == 200 and sent(up)[0] == "GET /files/f"          # OpenAI's, by its header
    keys = 'keys = ( { id = "k"; sha256 = "%s"; models = [ "claude-haiku-*" ]; } );\n' % hashlib.sha256(b"secret-key").hexdigest()
    with Weir(conf(up, keys), env=env) as w:
        for model, status in (("claude-haiku-4-5", 200), ("claude-opus-4-5", 403)):
            body = {"requests": [params("claude-haiku-4-5"), params(model)]}
            assert request(w.port, "POST", "/v1/messages/batches", body, version + [("x-api-key", "secret-key")])[0] == status, model
    with Weir(conf(results, deny("mask")), env=env) as w:
        status, _, said = request(w.port, "GET", "/v1/messages/batches/msgbatch_1/results", headers=version)
        assert status == 200 and said == rows.replace(b'"bluebird"', b'"[x]"'), said
    up.close()
    results.close()


tests.run()
