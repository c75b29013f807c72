#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""models.py -- `weir models`, where its catalogue is found, what clients and plugins see of it."""
import json
import os
import shutil
import subprocess
import tempfile

from _weir import B, ROOT, WEIR, Tests, Weir

tests = Tests()

SOURCE = {"models": [
    {"id": "zeta/last", "name": "Last\t", "author": "zeta", "context_tokens": None, "max_output_tokens": None, "input_modalities": ["text"],
     "output_modalities": ["text"], "reasoning": False, "tool_call": True, "structured_output": None, "knowledge": None,
     "release_date": "2026-02-23", "open_weights": False, "endpoints": []},
    {"id": "acme/big", "name": "B\u00efg \"2\"", "author": "acme", "context_tokens": 200000, "max_output_tokens": 64000,
     "input_modalities": ["text", "image"], "output_modalities": ["text"], "reasoning": True, "tool_call": True, "structured_output": True,
     "knowledge": "2025-12", "release_date": "2026-01-02", "open_weights": False, "endpoints": [
         {"provider": "amazon-bedrock", "provider_model_id": "acme.big-v1:0", "max_output_tokens": 32000, "status": "beta",
          "price": {"input": 100000, "output": 37500000, "cache_read": 1, "cache_write": None, "reasoning": 0},
          "price_tiers": [{"above_context_tokens": 200000, "input": 200000, "output": 75000000, "cache_read": None, "cache_write": None,
                           "reasoning": None}]},
         {"provider": "openrouter", "provider_model_id": "acme/big",
          "price": {"input": 0, "output": 999999999999, "cache_read": None, "cache_write": None, "reasoning": None}}]}]}

# What the source above must become: written by hand.
MADE = ('{"id":"acme/big","name":"B\u00efg \\"2\\"","released":"2026-01-02","knowledge":"2025-12","context":200000,"max_output":64000,'
        '"inputs":["text","image"],"outputs":["text"],"tools":true,"reasoning":true,"structured_output":true,"open_weights":false,"endpoints":['
        '{"provider":"bedrock","model":"acme.big-v1:0","max_output":32000,"input":"0.1","output":"37.5","cache_read":"0.000001","reasoning":"0",'
        '"above":[{"tokens":200000,"input":"0.2","output":"75"}],"status":"beta"},'
        '{"provider":"openrouter","input":"0","output":"999999.999999"}]},\n'
        '{"id":"zeta/last","name":"Last","released":"2026-02-23","inputs":["text"],"outputs":["text"],"tools":true,"reasoning":false,'
        '"open_weights":false,"endpoints":[]}\n')


def weir(*args, stdout=subprocess.PIPE):
    done = subprocess.run([WEIR, "models"] + list(args), stdout=stdout, stderr=subprocess.PIPE, timeout=30)
    return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()


class Folder:
    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="weir-test-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)


@tests
def an_import_is_exact_sorted_and_one_model_a_line():
    with Folder() as f:
        source, out = f.put("source", json.dumps(SOURCE)), f.path("made.json")
        code, said, err = weir("import", source, "-o", out)
        assert (code, said, err) == (0, "2 models in %s\n" % out, ""), (code, said, err)
        with open(out) as made:
            text = made.read()
        head, rest = text.split("\n", 1)
        assert head.startswith('{"about":') and head.endswith('"models":[') and rest == MADE + "]}\n", rest
        assert os.listdir(f.dir) and not os.path.exists(out + ".new")
        json.loads(text)
        assert weir("import", source)[1] == text
        os.remove(source)
        SOURCE["models"].reverse()
        assert weir("import", f.put("source", json.dumps(SOURCE)))[1] == text   # the order of the source does not matter


@tests
def what_cannot_be_imported():
    with Folder() as f:
        out = f.path("made.json")
        for text, said in (("{", "byte"), ("{}", "holds no list of models"), ('{"models":[{"name":"x"}]}', "model 1 has no id"),
                           ('{"models":[{"id":"a"},{"id":"a"}]}', "model a stands twice"), ('{"models":[{"id":"a*"}]}', "without a star"),
                           ('{"models":[{"id":"a","endpoints":[{}]}]}', "model a has an endpoint without provider"),
                           ('{"models":[{"id":"a","context_tokens":1000000000000}]}', "context must be")):
            code, stdout, err = weir("import", f.put("source", text), "-o", out)
            assert code == 1 and not stdout and said in err and err.count("\n") == 1, (text, code, stdout, err)
            assert not os.path.exists(out) and not os.path.exists(out + ".new")
        code, stdout, err = weir("import", f.path("nothing"))
        assert code == 1 and "No such file" in err, err
        code, stdout, err = weir("import", f.put("source", json.dumps(SOURCE)), "-o", f.path("no/folder"))
        assert code == 1 and not stdout and "No such file" in err, err


@tests
def models_are_listed():
    code, out, err = weir("list")
    assert code == 0 and not err
    assert len(out.splitlines()) >= 401 and out.splitlines()[0].split()[:2] == ["model", "context"]
    ids = [line.split()[0] for line in out.splitlines()[1:]]
    assert ids == sorted(ids)
    rows = weir("list", "openai/gpt-4o")[1].splitlines()
    assert rows[1].split()[:5] == ["openai/gpt-4o", "128000", "16384", "2.5", "10"] and rows[1].split()[-1] == "openai", rows
    assert {line.split()[0] for line in weir("list", "gpt-4o*")[1].splitlines()[1:]} >= {"openai/gpt-4o", "openai/gpt-4o-mini"}
    rows = weir("list", "-p", "groq")[1].splitlines()[1:]
    assert rows and all(line.split()[-1] == "groq" for line in rows)
    listed = json.loads(weir("list", "--json", "--provider=bedrock", "anthropic/*")[1])
    assert listed and all(m["id"].startswith("anthropic/") for m in listed)
    assert all(any(e["provider"] == "bedrock" for e in m["endpoints"]) for m in listed)
    assert "no model of" in weir("list", "nobody/*")[1] and json.loads(weir("list", "--json", "nobody/*")[1]) == []


@tests
def one_model_is_shown():
    with Folder() as f:
        made = f.path("made.json")
        weir("import", f.put("source", json.dumps(SOURCE)), "-o", made)
        code, out, err = weir("show", "-f", made, "acme.big-v1:0")
        lines = [line.split() for line in out.splitlines()]
        assert code == 0 and not err and lines[0] == ["acme/big"] and ["max_output", "64000"] in lines and ["inputs", "text", "image"] in lines
        assert ["bedrock", "acme.big-v1:0", "200000", "32000", "0.1", "37.5", "0.000001", "-", "beta", "(dearer", "above", "a", "length:",
                "--json)"] in lines, out
        assert ["openrouter", "acme/big", "200000", "64000", "0", "999999.999999", "-", "-"] in lines, out
        m = json.loads(weir("show", "-f", made, "big", "--json")[1])
        assert m["id"] == "acme/big" and m["context"] == 200000 and m["tools"] is True and m["inputs"] == ["text", "image"]
        assert "input_price" not in m and m["endpoints"][1]["output_price"] == "999999.999999"
        assert m["endpoints"][0]["above"] == [{"tokens": 200000, "input": "0.2", "output": "75"}]
        code, out, err = weir("show", "-f", made, "acme/bug")
        assert code == 1 and not out and 'did you mean "acme/big"?' in err, err
        code, out, err = weir("show", "-f", made, "q")
        assert code == 1 and '"weir models list" lists them' in err, err


@tests
def the_configuration_has_its_word():
    with Folder() as f:
        made = f.path("made.json")
        weir("import", f.put("source", json.dumps(SOURCE)), "-o", made)
        conf = f.put("weir.conf", 'catalogue = "made.json";\nmodels = ( { id = "acme/big"; max_output = 5; input_price = "0.25"; },\n'
                     '  { id = "ours/new"; context = 9; efforts = "low high"; } );\n')
        m = json.loads(weir("show", "-c", conf, "acme/big", "--json")[1])
        assert m["max_output"] == 5 and m["input_price"] == "0.25" and m["endpoints"][0]["max_output"] == 5
        assert m["endpoints"][0]["input_price"] == "0.25" and m["endpoints"][0]["output_price"] == "37.5" and "above" not in m["endpoints"][0]
        m = json.loads(weir("show", "-c", conf, "new", "--json")[1])
        assert m == {"id": "ours/new", "context": 9, "efforts": ["low", "high"], "endpoints": []}, m
        assert [m["id"] for m in json.loads(weir("list", "-c", conf, "--json")[1])] == ["acme/big", "ours/new", "zeta/last"]
        f.put("made.json", '{"models":[\n{"id":1}]}')
        code, out, err = weir("list", "-c", conf)
        assert code == 1 and not out and "made.json:2: id must be a string" in err, err
        code, out, err = weir("list", "-f", made)
        assert code == 1 and not out and "made.json:2: id must be a string" in err, err
        os.remove(made)
        code, out, err = weir("list", "-f", made)
        assert code == 1 and "there is no catalogue" in err, err
        done = subprocess.run([WEIR, "check", "-c", conf], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and "there is no catalogue of models" in done.stdout, done.stdout   # a note


@tests
def wrong_calls_exit_with_2():
    for args, said in (([], "say"), (["nope"], "say"), (["show"], "needs a model"), (["import"], "needs a file"), (["list", "a", "b"], '"b"'),
                       (["list", "-c", "x", "-f", "y"], "not both"), (["list", "-o", "x"], "for import"), (["show", "-p", "x", "y"], "for list"),
                       (["import", "x", "--json"], "import takes"), (["list", "--nope"], "unknown option")):
        code, out, err = weir(*args)
        assert code == 2 and not out and said in err and err.count("\n") == 1, (args, code, out, err)


@tests
def a_full_disk_is_a_failure():
    with open("/dev/full", "w") as full:
        for args in (["list"], ["list", "--json"], ["show", "gpt-4o"]):
            code, _, err = weir(*args, stdout=full)
            assert code == 1 and "No space left" in err, (args, code, err)


@tests
def an_installed_weir_finds_its_own():
    with Folder() as f:
        for folder in ("bin", "share/weir"):
            os.makedirs(f.path(folder))
        shutil.copy(WEIR, f.path("bin/weir"))
        shutil.copy(os.path.join(B, "share/models.json"), f.path("share/weir/models.json"))
        done = subprocess.run([f.path("bin/weir"), "models", "show", "gpt-4o"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and done.stdout.startswith("openai/gpt-4o\n"), done.stderr


@tests
def the_list_of_models_says_who_and_when():
    w = Weir('providers = ( { name = "mock"; models = [ "openai/gpt-4o", "mine=claude-opus-4-8", "mock/echo" ]; } );')
    try:
        done = subprocess.run(["curl", "-s", "http://127.0.0.1:%d/v1/models" % w.port], capture_output=True, text=True, timeout=30)
        rows = {m["id"]: m for m in json.loads(done.stdout)["data"]}
        assert rows["openai/gpt-4o"]["owned_by"] == "openai" and rows["openai/gpt-4o"]["created"] == 1715558400, rows   # 2024-05-13
        assert rows["mine"]["owned_by"] == "anthropic" and rows["mine"]["created"] == 1779926400, rows                  # 2026-05-28
        assert rows["mock/echo"]["owned_by"] == "mock" and rows["mock/echo"]["created"] == 0, rows
    finally:
        w.close()


@tests
def the_shipped_catalogue_is_what_the_tool_makes():
    source = os.path.join(os.environ.get("WEIR_SHARED", os.path.join(ROOT, "../shared")), "data/models.json")
    if not os.path.exists(source):
        tests.skip("no list of models in $WEIR_SHARED/data or ../shared/data")
        return
    with open(os.path.join(ROOT, "share/models.json")) as f:
        assert weir("import", source)[1] == f.read()


tests.run()
