#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""credentials.py -- credentials that expire: got by the keeper from fake token servers on loopback, renewed in time, kept when the
keeper dies, missed in clear words, and seen by nobody."""
import base64
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.parse
import zlib

from _weir import Tests, Upstream, Weir, answer, free_port, request

tests = Tests()
CANARY = "CANARY9c1e"
GEMINI = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP", "index": 0}],
          "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4}}
CLAUDE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [{"type": "text", "text": "Hello"}],
          "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
CONVERSE = {"output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}}, "stopReason": "end_turn",
            "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}, "metrics": {"latencyMs": 7}}
NO_AWS = {k: "" for k in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
                          "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                          "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS",
                          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED", "CLOUDSDK_CONFIG")}


class Folder:
    """Files for one test; HOME of its weir."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="weir-test-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def put(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path

    def env(self, **more):
        return dict(NO_AWS, HOME=self.dir, **more)


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def heads(message):
    return {k.decode().lower(): v.decode() for k, v in message[1]}


def target(message):
    return message[0].decode().split(" ")[1]


def until(check, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = check()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


def keeper(w):
    for pid in w.children():
        try:
            with open("/proc/%d/comm" % pid) as f:
                if f.read().strip() == "weir:keeper":
                    return pid
        except OSError:
            pass
    return None


def gemini(w, model="gemini-pro", method="generateContent"):
    return request(w.port, "POST", "/v1beta/models/%s:%s" % (model, method), {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})


def claude(w, stream=False, model="claude-x", headers=(), **more):
    body = dict({"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}, **more)
    if stream:
        body["stream"] = True
    return request(w.port, "POST", "/v1/messages", body, [("anthropic-version", "2023-06-01")] + list(headers))


def converse(w):
    return request(w.port, "POST", "/model/m/converse", {"messages": [{"role": "user", "content": [{"text": "hi"}]}]})


# ---- Google ----

def tokens(lasts, name="token", flavor=False):
    """A token server: its n-th token is NAME-n."""
    def script(n, message):
        if flavor:
            assert heads(message).get("metadata-flavor") == "Google", message
        return [answer({"access_token": "%s-%s-%d" % (CANARY, name, n + 1), "expires_in": lasts, "token_type": "Bearer"})]
    return Upstream(script)


def rsa_key():
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], capture_output=True, check=True).stdout
    modulus = subprocess.run(["openssl", "rsa", "-noout", "-modulus"], input=key, capture_output=True, check=True).stdout
    return key.decode(), int(modulus.decode().strip().split("=")[1], 16)


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def rs256_fits(jwt, modulus):
    """PKCS #1 v1.5 (RFC 8017, 8.2.2) by hand, with e = 65537."""
    signed, signature = jwt.rsplit(".", 1)
    size = (modulus.bit_length() + 7) // 8
    got = pow(int.from_bytes(unbase64url(signature), "big"), 65537, modulus).to_bytes(size, "big")
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(signed.encode()).digest()
    return got == b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info


def vertex(up, server, more="", plugin="gemini", model="gemini-pro", extra='auth = "google";'):
    return '''providers = ( { name = "v"; plugin = "%s"; platform = "vertex"; project = "p-1"; location = "europe-west4"; %s url = "%s/v1";
                    credential_url = "%s"; models = [ "%s" ]; } );
%s''' % (plugin, extra, up.url, server.url, model, more)


@tests
def a_service_account_is_exchanged_and_renewed():
    key, modulus = rsa_key()
    up, server = Upstream(lambda n, m: [answer(GEMINI)]), tokens(3)
    with Folder() as f:
        f.put("sa.json", json.dumps({"type": "service_account", "project_id": "p-1", "private_key_id": "kid-1", "private_key": key,
                                     "client_email": "weir@p-1.iam", "token_uri": "https://oauth2.googleapis.com/token"}))
        env = f.env(GOOGLE_APPLICATION_CREDENTIALS=os.path.join(f.dir, "sa.json"))
        with Weir(vertex(up, server), env) as w:
            status, _, got = gemini(w)
            assert status == 200 and json.loads(got) == GEMINI, (status, got)
            assert heads(up.requests[0])["authorization"] == "Bearer %s-token-1" % CANARY
            assert target(up.requests[0]) == \
                "/v1/projects/p-1/locations/europe-west4/publishers/google/models/gemini-pro:generateContent", up.requests[0]
            assert target(server.requests[0]) == "/token"
            form = dict(urllib.parse.parse_qsl(server.requests[0][2].decode()))
            assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer", form
            head, claims, _ = form["assertion"].split(".")
            assert json.loads(unbase64url(head)) == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
            said = json.loads(unbase64url(claims))
            assert abs(said["iat"] - time.time()) < 60 and said["exp"] - said["iat"] == 3600, said
            assert (said["iss"], said["aud"], said["scope"]) == ("weir@p-1.iam", "https://oauth2.googleapis.com/token",
                                                                 "https://www.googleapis.com/auth/cloud-platform"), said
            assert rs256_fits(form["assertion"], modulus), "a wrong signature"
            end = time.monotonic() + 5       # longer than a token lasts: every request must have a fresh one
            while time.monotonic() < end:
                assert gemini(w)[0] == 200
                time.sleep(0.2)
            used = {heads(m)["authorization"][-1] for m in up.requests}
            assert len(used) >= 2, used
            assert len(server.requests) <= 5, "asked too often"


@tests
def a_user_of_gcloud():
    up, server = Upstream(lambda n, m: [answer(GEMINI)]), tokens(3600)
    with Folder() as f:
        f.put(".config/gcloud/application_default_credentials.json",
              json.dumps({"type": "authorized_user", "client_id": "id.apps", "client_secret": CANARY + "-cs", "refresh_token": "1//" + CANARY}))
        with Weir(vertex(up, server), f.env()) as w:
            assert gemini(w)[0] == 200
            form = dict(urllib.parse.parse_qsl(server.requests[0][2].decode()))
            assert form == {"grant_type": "refresh_token", "client_id": "id.apps", "client_secret": CANARY + "-cs",
                            "refresh_token": "1//" + CANARY}, form


@tests
def claude_on_vertex_by_the_metadata_service():
    up, server = Upstream(lambda n, m: [answer(CLAUDE)]), tokens(3600, flavor=True)
    with Folder() as f, Weir(vertex(up, server, plugin="anthropic", model="claude-x=claude-sonnet-4-5@20250929", extra=""), f.env()) as w:
        status, _, got = claude(w, headers=[("anthropic-beta", "any-beta-2030-01-01")])
        assert status == 200 and json.loads(got) == CLAUDE, (status, got)
        m = up.requests[0]
        base = "/v1/projects/p-1/locations/europe-west4/publishers/anthropic/models/"
        assert target(m) == base + "claude-sonnet-4-5@20250929:rawPredict", target(m)
        assert heads(m)["authorization"] == "Bearer %s-token-1" % CANARY and "anthropic-version" not in heads(m)
        assert heads(m)["anthropic-beta"] == "any-beta-2030-01-01"
        assert m[2] == b'{"anthropic_version":"vertex-2023-10-16","max_tokens":64,"messages":[{"role": "user", "content": "hi"}]}', m[2]
        assert target(server.requests[0]) == "/computeMetadata/v1/instance/service-accounts/default/token"
        claude(w, stream=True)
        assert target(up.requests[1]).endswith(":streamRawPredict") and b'"stream":true' in up.requests[1][2], up.requests[1]
        status, _, got = request(w.port, "POST", "/v1/messages/count_tokens", {"model": "claude-x", "messages": [{"role": "user", "content": "hi"}]},
                                 [("anthropic-version", "2023-06-01")])
        assert target(up.requests[2]) == base + "count-tokens:rawPredict", target(up.requests[2])
        assert json.loads(up.requests[2][2])["model"] == "claude-sonnet-4-5@20250929", up.requests[2][2]
        status, _, got = request(w.port, "POST", "/v1/chat/completions", {"model": "claude-x", "messages": [{"role": "user", "content": "hi"}]})
        assert status == 200 and json.loads(got)["choices"][0]["message"]["content"] == "Hello", got
        assert "model" not in json.loads(up.requests[3][2]), up.requests[3][2]


# ---- AWS ----

def aws(up, server, credentials, more="", plugin="bedrock", models='"m"', head=""):
    return '''%s
providers = ( { name = "aws"; plugin = "%s"; url = "%s"; region = "eu-west-1"; credentials = "%s"; credential_url = "%s"; %s
                models = [ %s ]; } );
''' % (head, plugin, up.url, credentials, server.url if server else "", more, models)


def signature_fits(message, secret):
    head = heads(message)
    given = dict(p.strip().split("=", 1) for p in head["authorization"].split(" ", 1)[1].split(","))
    scope = given["Credential"].split("/", 1)[1]
    names = given["SignedHeaders"].split(";")
    canonical = "\n".join(["POST", urllib.parse.quote(target(message), safe="/-_.~"), ""] + ["%s:%s" % (n, head[n]) for n in names] +
                          ["", ";".join(names), hashlib.sha256(message[2]).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", head["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return given["Signature"] == hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def check_signed(up, n, key_id, secret, token=None):
    m = up.requests[n]
    assert heads(m)["authorization"].startswith("AWS4-HMAC-SHA256 Credential=%s/" % key_id), heads(m)
    assert heads(m).get("x-amz-security-token") == token, heads(m)
    assert ("x-amz-security-token" in heads(m)["authorization"]) == (token is not None)
    assert signature_fits(m, secret), "a wrong signature"


def sts_answer(n, lasts=3600):
    return answer(("""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>ASIA%d</AccessKeyId><SecretAccessKey>%s/s+%d</SecretAccessKey><SessionToken>%s-t%d==</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""
                   % (n, CANARY, n, CANARY, n, stamp(lasts))).encode(), kind="text/xml")


def keys_json(n, lasts=3600, **more):
    return dict({"AccessKeyId": "ASIA%d" % n, "SecretAccessKey": "%s/s+%d" % (CANARY, n), "Token": "%s-t%d==" % (CANARY, n),
                 "Expiration": stamp(lasts)}, **more)


@tests
def a_web_identity_is_exchanged_and_renewed():
    up = Upstream(lambda n, m: [answer(CONVERSE)])
    sts = Upstream(lambda n, m: [sts_answer(n + 1, 3)])
    with Folder() as f:
        path = f.put("token", "eyJ." + CANARY + ".sig\n")
        env = f.env(AWS_WEB_IDENTITY_TOKEN_FILE=path, AWS_ROLE_ARN="arn:aws:iam::123456789012:role/weir")
        with Weir(aws(up, sts, "chain"), env) as w:
            assert converse(w)[0] == 200
            check_signed(up, 0, "ASIA1", CANARY + "/s+1", CANARY + "-t1==")
            form = dict(urllib.parse.parse_qsl(sts.requests[0][2].decode()))
            assert form == {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleSessionName": "weir",
                            "RoleArn": "arn:aws:iam::123456789012:role/weir", "WebIdentityToken": "eyJ.%s.sig" % CANARY}, form
            until(lambda: converse(w)[0] == 200 and heads(up.requests[-1])["authorization"].find("ASIA2/") > 0, 5)


@tests
def the_environment_and_profiles():
    up = Upstream(lambda n, m: [answer(CONVERSE)])
    with Folder() as f:
        f.put(".aws/credentials", "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key=d\n"
                                  "[other]\n# no comment\naws_access_key_id=AKIAOTHER\naws_secret_access_key = %s-other\n" % CANARY)
        f.put(".aws/config", "[profile third]\nregion = x\naws_access_key_id = AKIATHIRD\naws_secret_access_key = %s-third\n"
                             "aws_session_token = tok\n" % CANARY)
        with Weir(aws(up, None, "chain"), f.env(AWS_ACCESS_KEY_ID="AKIAENV", AWS_SECRET_ACCESS_KEY=CANARY + "-env")) as w:
            assert converse(w)[0] == 200
        check_signed(up, 0, "AKIAENV", CANARY + "-env")
        with Weir(aws(up, None, "profile", 'profile = "other";'), f.env()) as w:
            assert converse(w)[0] == 200
        check_signed(up, 1, "AKIAOTHER", CANARY + "-other")
        with Weir(aws(up, None, "chain"), f.env(AWS_PROFILE="third")) as w:
            assert converse(w)[0] == 200
        check_signed(up, 2, "AKIATHIRD", CANARY + "-third", "tok")


@tests
def containers():
    up = Upstream(lambda n, m: [answer(CONVERSE)])
    server = Upstream(lambda n, m: [answer(keys_json(n + 1))])
    with Folder() as f:
        path = f.put("token", CANARY + "-pod\n")
        with Weir(aws(up, None, "chain"), f.env(AWS_CONTAINER_CREDENTIALS_FULL_URI=server.url + "/v1/credentials",
                                                AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=path)) as w:
            assert converse(w)[0] == 200
        check_signed(up, 0, "ASIA1", CANARY + "/s+1", CANARY + "-t1==")
        assert target(server.requests[0]) == "/v1/credentials" and heads(server.requests[0])["authorization"] == CANARY + "-pod"
        with Weir(aws(up, server, "container"), f.env(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/credentials/x")) as w:
            assert converse(w)[0] == 200
        assert target(server.requests[1]) == "/v2/credentials/x" and "authorization" not in heads(server.requests[1])
        with Weir(aws(up, None, "container"), f.env(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://192.0.2.1/x")) as w:
            until(lambda: "neither https nor on this machine" in w.text())
            assert converse(w)[0] == 503


@tests
def an_instance():
    def imds(n, m):
        method, path = m[0].decode().split(" ")[:2]
        if method == "PUT":
            assert path == "/latest/api/token" and heads(m)["x-aws-ec2-metadata-token-ttl-seconds"] == "21600", m
            return [answer((CANARY + "-imds").encode(), kind="text/plain")]
        assert heads(m)["x-aws-ec2-metadata-token"] == CANARY + "-imds", m
        if path == "/latest/meta-data/iam/security-credentials/":
            return [answer(b"weir-role\n", kind="text/plain")]
        assert path == "/latest/meta-data/iam/security-credentials/weir-role", path
        return [answer(keys_json(7, Code="Success"))]
    up, server = Upstream(lambda n, m: [answer(CONVERSE)]), Upstream(imds)
    with Folder() as f, Weir(aws(up, server, "chain"), f.env()) as w:
        assert converse(w)[0] == 200
        check_signed(up, 0, "ASIA7", CANARY + "/s+7", CANARY + "-t7==")
        assert len(server.requests) == 3


def frame(name, payload, exception=False):
    kind = ":exception-type" if exception else ":event-type"
    head = b""
    for k, v in ((kind, name), (":content-type", "application/json"), (":message-type", "exception" if exception else "event")):
        head += bytes([len(k)]) + k.encode() + b"\7" + struct.pack(">H", len(v)) + v.encode()
    data = json.dumps(payload).encode()
    out = struct.pack(">II", len(head) + len(data) + 16, len(head))
    out += struct.pack(">I", zlib.crc32(out)) + head + data
    return out + struct.pack(">I", zlib.crc32(out))


def chunk(record):
    return frame("chunk", {"bytes": base64.b64encode(json.dumps(record).encode()).decode(), "p": "abcdefghijkl"})


RECORDS = [{"type": "message_start", "message": dict(CLAUDE, content=[], stop_reason=None, usage={"input_tokens": 3, "output_tokens": 0})},
           {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
           {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "my sec"}},
           {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ret word"}},
           {"type": "content_block_stop", "index": 0},
           {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 1}},
           {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 1}}]


def sse(data):
    return [json.loads(line[6:]) for line in data.decode().split("\n") if line.startswith("data: ")]


@tests
def claude_on_bedrock():
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nconnection: close\r\n\r\n"
    plans = {"/invoke": [answer(CLAUDE)]}
    whole = b"".join(chunk(r) for r in RECORDS)
    up = Upstream(lambda n, m: plans.get(target(m)[target(m).rindex("/"):]))
    sts = Upstream(lambda n, m: [answer(keys_json(1))])
    model = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
    guard = 'guardrails = ( { name = "words"; plugin = "deny"; words = [ "secret" ]; action = "mask"; } );'
    with Folder() as f:
        env = f.env(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/x")
        for more in "", guard:
            config = aws(up, sts, "chain", 'platform = "bedrock";', "anthropic", '"claude-x=%s"' % model, more)
            with Weir(config, env) as w:
                up.requests.clear()
                status, got_head, got = claude(w, headers=[("anthropic-beta", "context-1m-2025-08-07, unknown-2030-01-01")],
                                               system=[{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}])
                assert status == 200 and json.loads(got) == CLAUDE, (status, got)
                m = up.requests[0]
                check_signed(up, 0, "ASIA1", CANARY + "/s+1", CANARY + "-t1==")
                assert target(m) == "/model/%s/invoke" % model.replace(":", "%3A"), target(m)
                assert json.loads(m[2]) == {"anthropic_version": "bedrock-2023-05-31", "anthropic_beta": ["context-1m-2025-08-07"], "max_tokens": 64,
                                            "messages": [{"role": "user", "content": "hi"}],
                                            "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]}, m[2]
                assert "anthropic-beta" not in heads(m), "bug 20: flags that Bedrock does not know"
                assert got_head["x-weir-dropped"] == "anthropic-beta:unknown-2030-01-01,cache_control.ttl", got_head
                for plan in [head, whole, "close"], [head] + [whole[i:i + 9] for i in range(0, len(whole), 9)] + ["close"]:
                    plans["/invoke-with-response-stream"] = plan
                    status, got_head, got = claude(w, stream=True)
                    assert status == 200 and got_head["content-type"].startswith("text/event-stream"), (status, got_head)
                    said = sse(got)
                    assert said[-1] == {"type": "message_stop"}, said[-1]
                    if more:
                        text = "".join(r["delta"]["text"] for r in said if r["type"] == "content_block_delta")
                        assert text == "my [removed] word", text
                    else:
                        assert said[:-1] == RECORDS[:-1], said
                        assert got.startswith(b"event: message_start\ndata: "), got[:40]
                assert "stream" not in json.loads(up.requests[-1][2]), up.requests[-1][2]
                plans["/invoke-with-response-stream"] = [head, b"".join(chunk(r) for r in RECORDS[:3]) +
                                                         frame("throttlingException", {"message": "slow down"}, True), "close"]
                said = sse(claude(w, stream=True)[2])
                assert said[-1]["type"] == "error", said
                plans["/invoke-with-response-stream"] = [head, whole, "close"]
                status, _, got = request(w.port, "POST", "/v1/chat/completions",
                                         {"model": "claude-x", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
                assert status == 200 and b'"my ' in got and got.rstrip().endswith(b"[DONE]"), got
                status, _, got = request(w.port, "POST", "/v1/messages/count_tokens", {"model": "claude-x", "messages": []},
                                         [("anthropic-version", "2023-06-01")])
                assert status == 400, (status, got)


# ---- what goes wrong ----

def admin_config():
    port = free_port()
    return port, 'admin = "127.0.0.1:%d";\n' % port


def metric(port, name, label='endpoint="v"'):
    for line in request(port, "GET", "/metrics")[2].decode().splitlines():
        if line.startswith(name + "{") and label in line:
            return float(line.rsplit(" ", 1)[1])
    return None


@tests
def the_first_request_waits_for_the_first_token():
    up = Upstream(lambda n, m: [answer(GEMINI)])
    server = Upstream(lambda n, m: [0.7, answer({"access_token": CANARY + "-slow", "expires_in": 3600})])
    with Folder() as f, Weir(vertex(up, server), f.env()) as w:
        start = time.monotonic()
        assert gemini(w)[0] == 200
        assert time.monotonic() - start < 2


@tests
def nobody_waits_for_ever():
    up = Upstream(lambda n, m: [answer(GEMINI)])
    server = Upstream(lambda n, m: ["hold"])
    with Folder() as f, Weir(vertex(up, server), f.env()) as w:
        start = time.monotonic()
        status, _, got = gemini(w)
        took = time.monotonic() - start
        assert status == 503 and b"credential" in got, (status, got)
        assert 1 < took < 4, took
        assert request(w.port, "GET", "/health")[0] == 200
        assert not up.requests


@tests
def a_client_that_leaves_while_it_waits():
    up = Upstream(lambda n, m: [answer(GEMINI)])
    server = Upstream(lambda n, m: ["hold"])
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}).encode()
    with Folder() as f, Weir(vertex(up, server), f.env()) as w:
        with socket.create_connection(("127.0.0.1", w.port), 5) as s:
            s.sendall(b"POST /v1beta/models/gemini-pro:generateContent HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(body) + body)
            time.sleep(0.3)
        row = w.wait_records(1)[0]
        assert row["outcome"] == "client_gone", row
        time.sleep(0.2)
        assert request(w.port, "GET", "/health")[0] == 200 and "child_died" not in w.text()


@tests
def failing_is_told_and_ends():
    broken = [True]
    up = Upstream(lambda n, m: [answer(GEMINI)])
    server = Upstream(lambda n, m: [answer({"error": "invalid_grant", "error_description": CANARY + " is bad"}, "400 Bad Request") if broken[0]
                                    else answer({"access_token": CANARY + "-good", "expires_in": 3600})])
    port, admin = admin_config()
    with Folder() as f, Weir(vertex(up, server, admin), f.env()) as w:
        until(lambda: "credential_failed" in w.text())
        start = time.monotonic()
        status, _, got = gemini(w)
        assert status == 503 and time.monotonic() - start < 1, "it has failed: nobody is to wait"
        assert "valid credential" in json.loads(got)["error"]["message"], got
        line = next(x for x in w.text().splitlines() if "credential_failed" in x)
        assert "provider=v" in line and "400 invalid_grant" in line and CANARY not in line, line
        status, _, body = request(port, "GET", "/ready")
        assert status == 200 and b"credential of v failing\n" in body, (status, body)
        assert metric(port, "weir_credential_failing") == 1 and metric(port, "weir_credential_failures_total") >= 1
        row = w.wait_records(1)[0]
        assert row["outcome"] != "ok" and "credential" in row.get("reason", row.get("why", "")), row
        broken[0] = False
        until(lambda: gemini(w)[0] == 200)
        until(lambda: b"credential of" not in request(port, "GET", "/ready")[2])
        assert metric(port, "weir_credential_failing") == 0
        assert abs(metric(port, "weir_credential_expires") - time.time() - 3600) < 60


@tests
def the_last_good_one_is_kept_while_it_is_valid():
    up = Upstream(lambda n, m: [answer(GEMINI)])
    server = Upstream(lambda n, m: [answer({"access_token": CANARY + "-old", "expires_in": 5}) if n == 0 else answer({}, "500 Broken")])
    with Folder() as f, Weir(vertex(up, server), f.env()) as w:
        assert gemini(w)[0] == 200
        until(lambda: "credential_failed" in w.text(), 6)
        assert gemini(w)[0] == 200, "it is still valid"
        until(lambda: gemini(w)[0] == 503, 6)


@tests
def a_killed_keeper_is_replaced_and_nobody_notices():
    up, server = Upstream(lambda n, m: [answer(GEMINI)]), tokens(3600)
    with Folder() as f, Weir(vertex(up, server), f.env()) as w:
        assert gemini(w)[0] == 200
        for i in range(3):
            before = keeper(w)
            assert before
            os.kill(before, signal.SIGKILL)
            assert gemini(w)[0] == 200
            until(lambda: keeper(w) not in (None, before))
            until(lambda: len(server.requests) >= i + 2)
        assert gemini(w)[0] == 200
        assert all(CANARY in heads(m)["authorization"] for m in up.requests)


@tests
def a_refused_one_is_renewed():
    up = Upstream(lambda n, m: [answer({"error": {"code": 401, "message": "bad", "status": "UNAUTHENTICATED"}}, "401 Unauthorized")
                                if heads(m)["authorization"].endswith("-1") else answer(GEMINI)])
    server = tokens(3600)
    with Folder() as f, Weir(vertex(up, server), f.env()) as w:
        status, _, got = gemini(w)
        assert status == 502, (status, got)
        until(lambda: gemini(w)[0] == 200, 15)
        assert len(server.requests) == 2, "once is enough"


@tests
def no_keeper_without_a_need():
    up = Upstream(lambda n, m: [answer(CLAUDE)])
    config = 'providers = ( { name = "a"; plugin = "anthropic"; url = "%s/v1"; key = "env:K"; models = [ "claude-x" ]; } );' % up.url
    with Weir(config, {"K": "k-123456789"}) as w:
        assert claude(w)[0] == 200
        until(lambda: keeper(w) is None)
        time.sleep(0.3)
        assert keeper(w) is None and "child_died" not in w.text(), w.text()


@tests
def an_upstream_that_repeats_the_token():
    up = Upstream(lambda n, m: [answer({"error": {"code": 400, "message": "bad " + heads(m)["authorization"]}}, "400 Bad Request")])
    with Folder() as f, Weir(vertex(up, tokens(3600, "x" * 40)), f.env()) as w:
        status, _, got = gemini(w)
        assert status >= 400 and CANARY.encode() not in got and b"x" * 32 not in got, got
        assert "upstream_secret" in w.text()


@tests
def no_secret_is_seen():
    key, _ = rsa_key()
    up = Upstream(lambda n, m: [answer(GEMINI)])
    port, admin = admin_config()
    with Folder() as f:
        path = f.put("sa.json", json.dumps({"type": "service_account", "private_key_id": "kid", "private_key": key, "client_email": "e"}))
        config = vertex(up, tokens(2), admin + 'log_level = "debug";\n', extra='auth = "google"; service_account = "%s";' % path)
        w = Weir(config, f.env())
        try:
            for _ in range(20):
                assert gemini(w)[0] == 200
                time.sleep(0.1)
            pages = b"".join(request(port, "GET", p)[2] for p in ("/metrics", "/ready", "/health"))
            w.wait_records(20)
            files = b""
            for top, _, names in os.walk(w.state):
                for name in names:
                    with open(os.path.join(top, name), "rb") as g:
                        files += g.read()
            for text in pages, files, w.text().encode(), json.dumps(w.records()).encode():
                assert CANARY.encode() not in text and b"PRIVATE KEY" not in text and key[60:100].encode() not in text
        finally:
            w.close()


tests.run()
