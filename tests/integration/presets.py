# SPDX-License-Identifier: Apache-2.0
"""presets.py -- every row of share/presets.conf makes a provider, with nothing in its block but the preset's name (and what the row
says a block must bring): `weir check` takes it, and the upstream is the vendor's own, by TLS unless it is this machine.
"""
import os
import re
import subprocess
import sys
import tempfile

from _weir import ROOT, WEIR

failed = passed = 0


def check(what, ok, detail=""):
    global failed, passed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {what}: {detail}")


def rows():
    text = open(os.path.join(ROOT, "share/presets.conf"), encoding="utf-8").read()
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    for row in re.findall(r"\{(.*?)\}", text[text.index("presets"):], flags=re.S):
        yield dict(re.findall(r'(\w+) = ("[^"]*"|\[[^\]]*\]|\w+)', row))


def run(folder, name, key, more):
    path = os.path.join(folder, "weir.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'providers = ( {{ name = "x"; preset = "{name}"; {more} }} );\n')
    env = {"PATH": os.environ["PATH"]}
    if key:
        env[key] = "a-key-of-some-length"
    return subprocess.run([WEIR, "check", "-c", path], capture_output=True, text=True, env=env, timeout=60)


def main():
    wanted = ("xai deepseek groq together fireworks openrouter cerebras perplexity deepinfra nvidia novita moonshot zai mistral ollama "
              "vllm llama.cpp lmstudio azure cohere").split()
    seen = {}
    with tempfile.TemporaryDirectory(prefix="weir-test-") as folder:
        for row in rows():
            name = row["name"].strip('"')
            key = row["key"].strip('"').removeprefix("env:") if "key" in row else ""
            more = 'url = "https://mine.example/v1";' if "needs" in row else ""
            url = row["url"].strip('"') if "url" in row else ("https://mine.example" if more else "https://api.openai.com")
            plugin = row["plugin"].strip('"')
            if plugin == "cohere" and "url" not in row:
                url = "https://api.cohere.com"
            local = url.startswith("http://127.0.0.1:")
            seen[name] = run(folder, name, key, more)
            got = seen[name].stdout + seen[name].stderr
            check(f"{name} is taken", seen[name].returncode == 0, got)
            check(f"{name} goes to {url}", re.search(rf"^x\s+{plugin}\s+{plugin}\s+" + re.escape(url), got, re.M), got)
            check(f"{name} is reached by TLS, or is here", url.startswith("https://") or local, url)
            if key:
                check(f"{name} misses its key", key in run(folder, name, "", more).stdout, "not told")
        for name in wanted:
            check(f"{name} has a row", name in seen)
        wrong = run(folder, "gorq", "", "")
        check("an unknown name is refused with the nearest", wrong.returncode != 0 and 'did you mean "groq"?' in
              wrong.stdout + wrong.stderr, wrong.stderr)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
