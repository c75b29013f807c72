#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SDK as a stranger gets it: installed headers only, in another folder.

Installs weir into a temporary folder, builds and tests the skeleton and the guardrail of sdk/README.md there with both compilers,
and looks at what the plugins show and need.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WARN = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
passed = failed = 0


def check(name, good, text=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(("ok   " if good else "FAIL ") + name + ("" if good else "\n" + text))


def run(name, *command, cwd=None, want=0):
    """Runs a command; its output when it ended as wanted, else None."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CPATH", "B", "SAN")}
    p = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    check(name, p.returncode == want, p.stdout[-4000:])
    return p.stdout if p.returncode == want else None


def install(tmp):
    """Headers and the skeleton; the whole of weir when it has been built here."""
    usr = tmp / "usr"
    if (ROOT / os.environ.get("B", "build") / "weir").exists():
        run("make install", "make", "-s", "-C", str(ROOT), "install", f"DESTDIR={tmp}", "PREFIX=/usr",
            f"SAN={os.environ.get('SAN', '')}")
    else:
        run("make install-sdk", "make", "-s", "-C", str(ROOT), "install-sdk", f"DESTDIR={tmp}", "PREFIX=/usr")
    check("the headers are installed", (usr / "include/weir.h").exists() and (usr / "include/weir_test.h").exists())
    return usr


def shows_one_symbol(so):
    out = subprocess.run(["nm", "-D", "--defined-only", str(so)], stdout=subprocess.PIPE, text=True, check=True).stdout
    check(f"{so.name} shows weir_plugin and nothing else", [line.split()[2] for line in out.splitlines()] == ["weir_plugin"], out)


def skeleton(tmp, usr, cc):
    work = tmp / f"skeleton-{cc}"
    shutil.copytree(usr / "share/weir/sdk/skeleton", work)
    args = ["make", "-s", f"CC={cc}", f"WEIR_INCLUDE={usr}/include", "CFLAGS=-O2 -g -Werror"]
    run(f"skeleton builds with {cc}", *args, cwd=work)
    out = run(f"skeleton passes its tests with {cc}", *args, "test", cwd=work) or ""
    names = sorted(p.stem[5:] for p in work.glob("test_*.c"))
    check(f"all of {', '.join(names)} were tested", sorted(re.findall(r"^(\w+): \d+ passed, 0 failed$", out, re.M)) == names, out)
    run(f"skeleton installs with {cc}", *args, "install", f"DESTDIR={work}/root", "PREFIX=/usr", cwd=work)
    found = sorted(p.stem for p in (work / "root/usr/lib/weir/plugins").glob("*/*.so"))
    check("each plugin is installed", found == names, str(found))
    for so in sorted((work / "build").glob("*/*.so")):
        shows_one_symbol(so)
    depends = subprocess.run([cc, "-std=c11", "-M", f"-I{usr}/include", "wordlimit.c", "acme.c", "hello.c", "lines.c"], cwd=work,
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    check("a plugin needs nothing of this repository", str(ROOT) not in depends, depends)


def readme(tmp, usr, cc):
    """The code of the guide, as it stands there."""
    work = tmp / f"readme-{cc}"
    work.mkdir()
    text = (ROOT / "sdk/README.md").read_text()
    for block in re.findall(r"^```c\n(.*?)^```", text, re.M | re.S):
        name = re.match(r"/\* (\w+\.c)", block).group(1)
        (work / name).write_text(block)
    commands = re.search(r"^```sh\n(.*?)^```", text, re.M | re.S).group(1)
    for i, line in enumerate(commands.splitlines(), 1):
        line = re.sub(r"\bcc\b", " ".join([cc, *WARN, f"-I{usr}/include"]), line, count=1)
        run(f"sdk/README.md, command {i} with {cc}", "sh", "-c", line, cwd=work)
    shows_one_symbol(work / "hush.so")
    broken = (work / "hush.c").read_text().replace("if (e->last) {", "if (0) {")
    (work / "hush.c").write_text(broken)
    out = run(f"its test fails when the code is broken ({cc})", "sh", "-c",
              f"{cc} -std=c11 -g -I{usr}/include -o test_hush test_hush.c && ./test_hush", cwd=work, want=1)
    check("and says at which cut", out and 'cut as "' in out and "want: a ps*****! psss" in out, out or "")


def wrong_type(tmp, usr, cc):
    """An option whose field is no option type does not compile."""
    source = tmp / "wrong.c"
    source.write_text('#include "weir.h"\nstruct s { float f; };\n'
                      'const struct weir_option o[] = { WEIR_OPT(struct s, f, "1", "no such type"), WEIR_OPT_END };\n')
    run(f"a wrong field type does not compile with {cc}", "sh", "-c",
        f"! {cc} -std=c11 -I{usr}/include -fsyntax-only {source} 2>/dev/null")


def main():
    with tempfile.TemporaryDirectory(prefix="weir-sdk-") as name:
        tmp = pathlib.Path(name)
        usr = install(tmp)
        for cc in ("gcc", "clang"):
            skeleton(tmp, usr, cc)
            readme(tmp, usr, cc)
            wrong_type(tmp, usr, cc)
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
