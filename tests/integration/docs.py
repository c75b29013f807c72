# SPDX-License-Identifier: Apache-2.0
"""docs.py -- what README.md and docs/ tell readers to type: configurations pass `weir check`, the curl lines get their answers, and
the guardrail of README.md is built from sdk/ alone and does what is said of it."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

from _weir import B, ROOT, WEIR, Upstream, Weir, chat

passed = failed = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAIL %s\n%s" % (name, why))


def configurations():
    """Blocks that say they are `conf`, and unmarked ones that begin with a part of the configuration."""
    for page in [ROOT + "/README.md"] + sorted(glob.glob(ROOT + "/docs/*.md")):
        with open(page) as f:
            blocks = re.findall(r"^```(\w*)\n(.*?)^```", f.read(), re.M | re.S)
        for i, (word, text) in enumerate(blocks, 1):
            if word == "conf" or (not word and re.match(r"(listen|providers|guardrails|sinks|keys) *=", text)):
                yield "%s, block %d" % (os.path.relpath(page, ROOT), i), text


def checks(tmp):
    count = 0
    for name, text in configurations():
        file = os.path.join(tmp, "weir.conf")
        with open(file, "w") as f:
            f.write('plugins = "%s";\n%s' % (os.path.join(tmp, "build", "plugins"), text))
        done = subprocess.run([WEIR, "check", "-c", file], capture_output=True, text=True, timeout=60)
        check(name, done.returncode == 0, done.stdout + done.stderr)
        count += 1
    check("the pages have configurations", count >= 2, "found %d" % count)


def block(word, begins):
    """The block of README.md in this language that begins so."""
    with open(ROOT + "/README.md") as f:
        found = [b for b in re.findall(r"^```%s\n(.*?)^```" % word, f.read(), re.M | re.S) if b.startswith(begins)]
    check("README.md has one block %s that begins %r" % (word, begins), len(found) == 1, str(found))
    return found[0]


def shell(line, cwd=None):
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=120, cwd=cwd)


def first_answer():
    weir = Weir("")
    try:
        done = shell(block("sh", "curl http").replace("127.0.0.1:8080", "127.0.0.1:%d" % weir.port))
        try:
            said = json.loads(done.stdout)["choices"][0]["message"]["content"]
        except (ValueError, LookupError):
            said = None
        check("the curl line", said == "Hello, weir", done.stdout + done.stderr)
    finally:
        weir.close()


# ---- the guardrail of README.md ----

CARDS_TEST = r"""
#include "weir_test.h"
#include "cards.c"

int main(void)
{
    static const char *const pass[] = {"4111 1111 1111 1112", "411111111111", "4111.1111.1111.1111", "41111111111111111111", ""};
    static const char *const no[] = {"4111 1111 1111 1111", "it is 378282246310005.", "a-4222222222222", "6011-0009 9013 9424 x"};
    struct weir_test t;

    weir_test_init(&t, &weir_plugin, "");
    for (size_t i = 0; i < sizeof pass / sizeof *pass; i++) {
        weir_test_begin(&t);
        weir_test_say(&t, WEIR_USER, pass[i]);
        weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
        weir_test_every_cut(&t, WEIR_TEXT, pass[i], pass[i]);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        weir_test_begin(&t);
        weir_test_say(&t, WEIR_USER, no[i]);
        weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
        weir_test_same(t.block_code, "card_number");
    }
    weir_test_begin(&t);
    weir_test_say(&t, WEIR_USER, "hello");
    weir_test_verdict(weir_test_on_request(&t), WEIR_PASS);
    weir_test_every_cut(&t, WEIR_TEXT, "A 4111 1111-1111 1111, 12 34", "A **** ****-**** ****, 12 34");
    weir_test_every_cut(&t, WEIR_REASONING, "378282246310005 ", "*************** ");
    weir_test_every_cut(&t, WEIR_ARGUMENTS, "4222222222222", "*************");
    weir_test_fini(&t);
    return 0;
}
"""


def build_cards(tmp):
    """Where the reader stands: a folder with cards.c, sdk/, and the plugins of this build."""
    for so in glob.glob(os.path.join(B, "plugins", "*", "*.so")):
        to = os.path.join(tmp, "build", os.path.relpath(so, B))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        os.symlink(so, to)
    os.symlink(os.path.join(ROOT, "sdk"), os.path.join(tmp, "sdk"))
    source, command = block("c", "/* cards.c"), block("sh", "cc ")
    check("the guardrail is built by one line", len(command.splitlines()) == 1, command)
    check("it includes nothing but the header", re.findall(r"#include (.*)", source) == ['"weir.h"'])
    for name, text in (("cards.c", source), ("test_cards.c", CARDS_TEST)):
        with open(os.path.join(tmp, name), "w") as f:
            f.write(text)
    for cc in ("clang", "gcc"):
        done = shell(command.replace("cc ", cc + " -Wall -Wextra -Wpedantic -Werror ", 1), tmp)
        check("the guardrail builds with " + cc, done.returncode == 0, done.stdout + done.stderr)
    done = shell("gcc -std=c11 -g -fsanitize=address,undefined -Isdk -o test_cards test_cards.c && ./test_cards", tmp)
    check("the guardrail in the fake host", done.returncode == 0, done.stdout + done.stderr)


def refuses(head, config):
    weir = Weir(head + config)
    try:
        line = block("sh", "curl -i").replace("127.0.0.1:8080", "127.0.0.1:%d" % weir.port)
        done = shell(line)
        check("the guardrail refuses", "HTTP/1.1 403 " in done.stdout and '"card_number"' in done.stdout, done.stdout + done.stderr)
        denies = weir.wait_records(1, "deny")
        check("and that is recorded", [(d["status"], d["code"]) for d in denies] == [(403, "card_number")], str(denies))
        check("and nothing was sent", not weir.records("open"))
        done = shell(line.replace("1111-1111'", "1111-1112'").replace('1111"', '1112"'))
        check("another number passes", "HTTP/1.1 200 " in done.stdout and "1111-1112" in done.stdout, done.stdout + done.stderr)
    finally:
        weir.close()


def masks(head, config):
    """An answer that holds a number, whole and as a stream that cuts it anywhere."""
    def event(text):
        return ('data: {"id":"c","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n' % text).encode()

    parts = ["It is 4", "111 11", "11-", "1111 111", "1", ". Or 12 3", "4"]
    up = Upstream(lambda n, message: [b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"]
                  + [event(p) for p in parts]
                  + [b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n', "close"])
    weir = Weir(head + 'providers = ( { name = "up"; plugin = "openai"; url = "%s/v1"; models = [ "m" ]; } );\n' % up.url + config)
    try:
        status, _, body = chat(weir.port, "hello", "m", stream=True)
        said = [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: {")]
        text = "".join(c["delta"].get("content") or "" for e in said for c in e["choices"])
        check("the guardrail masks a stream", status == 200 and text == "It is **** ****-**** ****. Or 12 34", body.decode())
        check("and it is a stream still", len([e for e in said if e["choices"][0]["delta"].get("content")]) > 1, body.decode())
    finally:
        weir.close()
        up.close()


with tempfile.TemporaryDirectory(prefix="weir-docs-") as folder:
    build_cards(folder)
    checks(folder)
    first_answer()
    lines = block("conf", "guardrails = (")
    check("three lines of configuration load it", len(lines.splitlines()) == 3, lines)
    plugins = 'plugins = "%s";\n' % os.path.join(folder, "build", "plugins")
    refuses(plugins, lines)
    masks(plugins, lines)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed != 0)
