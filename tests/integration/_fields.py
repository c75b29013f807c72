# SPDX-License-Identifier: Apache-2.0
"""_fields.py -- what fields.py, property.py and grammar.py share: the field lists of tests/fields, and the plugins under the fake host.

A line of a list: a name, one column for each dialect (what becomes of the field there), the field as JSON that is merged into the base body, then what
else is in the body with and without it: `@tools`, or more JSON.  The columns hold one or more of these letters, any of which will do:
  =  mapped: every value of the field is in the upstream's body         ~  emulated: said in other words
  D  left out, and told                                                 R  refused by name
  -  nothing is to be said: it is the default, or the gateway's own     L  left out by the rule for others' reasoning (docs/canonical.md)
  .  the dialect itself                                                 ?  not laid down
`~` beside `D`: said in other words, and told."""
import copy
import json
import os
import subprocess

from _weir import B, ROOT

DIALECTS = ["openai", "responses", "anthropic", "gemini", "bedrock"]
STREAM_PATHS = {"gemini": "/v1beta/models/m:streamGenerateContent?alt=sse", "bedrock": "/model/m/converse-stream"}


def merge(base, patch):
    """A merge patch without its rule for null: objects are merged, all else is replaced."""
    if not isinstance(base, dict) or not isinstance(patch, dict):
        return copy.deepcopy(patch)
    out = dict(base)
    for k, v in patch.items():
        out[k] = merge(base[k], v) if k in base else copy.deepcopy(v)
    return out


class Field:
    def __init__(self, name, columns, patch, context):
        self.name, self.columns, self.patch, self.context = name, dict(zip(DIALECTS, columns)), patch, context


class FieldList:
    def __init__(self, dialect):
        self.dialect, self.fields, self.contexts = dialect, [], {}
        with open(os.path.join(ROOT, "tests", "fields", dialect + ".txt")) as f:
            for line in f:
                self.take(line.rstrip("\n"))

    def take(self, line):
        if not line or line.startswith("#"):
            return
        if line.startswith("@"):
            name, text = line.split(" ", 1)
            self.contexts[name] = json.loads(text)
        elif line.startswith("path "):
            _, self.method, self.path = line.split()
        elif line.startswith("base "):
            self.base = json.loads(line[5:])
        else:
            head, rest = line[:line.index("{")], line[line.index("{"):]
            words = head.split()
            patch, end = json.JSONDecoder().raw_decode(rest)
            more = rest[end:].strip()
            context = self.contexts[more] if more.startswith("@") else json.loads(more) if more else {}
            self.fields.append(Field(" ".join(words[:-5]), words[-5:], patch, context))

    def bodies(self, field):
        """Without the field, and with it."""
        without = merge(self.base, field.context)
        return without, merge(without, field.patch)


class Translate:
    """build/tests/translate, asked line by line; one that dies on a request is started again."""

    def __init__(self):
        self.process = None

    def ask(self, *fields):
        if not self.process or self.process.poll() is not None:
            self.process = subprocess.Popen([os.path.join(B, "tests", "translate"), B], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.PIPE)
        self.process.stdin.write("\t".join(fields).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("translate ended: %s\n%s" % (self.process.stderr.read()[-1500:].decode("utf-8", "replace"), fields[:8]))
        return json.loads(line)

    def request(self, source, target, method, path, body, drop=False, options=""):
        text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        got = self.ask("request", source, target, method, path, options, "drop" if drop else "refuse", text)
        got["told"] = [x for k in ("lift_lossy", "encode_lossy") for x in got[k].split("\n") if x]
        return got

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait(10)
            self.process.stdout.close()
            self.process.stderr.close()


def loads(text):
    """Numbers as they stand."""
    return json.loads(text, parse_float=str, parse_int=str)


def leaves(value, key=""):
    """(key, value) of everything that is no container; JSON inside strings is looked into."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from leaves(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from leaves(v, key)
    else:
        yield key, value
        if isinstance(value, str) and value[:1] in "{[":
            try:
                yield from leaves(loads(value))
            except ValueError:
                pass


STRUCTURE = {"type", "role", "model", "mode", "media_type", "mimeType", "mime_type", "format"}     # words of the dialect, not of the user


def values(field, without):
    """What the user put in: strings and numbers that the body does not have without the field."""
    before = [v for _, v in leaves(loads_of(without))]
    out = []
    for key, v in leaves(loads_of(field.patch)):
        if key in STRUCTURE or v is None or isinstance(v, bool) or v in before or (isinstance(v, str) and v[:1] in "{["):
            continue
        out.append(v.split("base64,")[-1] if v.startswith("data:") else v)
    return out


def loads_of(value):
    return loads(json.dumps(value))


def said(value, body):
    return any(isinstance(v, str) and (value == v or (len(value) > 2 and value.lower() in v.lower())) for _, v in leaves(body))
