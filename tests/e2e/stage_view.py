# SPDX-License-Identifier: Apache-2.0
"""stage_view.py -- what the Python suites see of the stage: its addresses, what the upstream saw, what the journal holds."""
import itertools
import json
import os
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
from _weir import Tests  # noqa: E402

URL, OPEN_URL = os.environ["WEIR_URL"], os.environ["WEIR_OPEN_URL"]
KEY, FEW = os.environ["WEIR_KEY"], os.environ["WEIR_KEY_FEW"]
SECRET = os.environ["E2E_SECRET"]

tests = Tests()
numbers = itertools.count(1)
name = os.path.basename(sys.argv[0])


def tagged(scenario):
    """The scenario under a name of its own: (model for weir, model as the upstream sees it)."""
    model = "%s/%s-%d" % (scenario, name.split(".")[0], next(numbers))
    return "s/" + model, model


def seen(model):
    with urllib.request.urlopen(os.environ["SEEN_URL"] + model) as r:
        return json.load(r)


def eventually(look, seconds=5):
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.02)


def record(request_id, kind="close"):
    """The journal's record of the request whose x-weir-request-id this is."""
    def look():
        out = subprocess.run([os.environ["WEIR_BIN"], "journal", os.environ["WEIR_STATE"], "--json"], capture_output=True, check=True).stdout
        rows = [json.loads(line) for line in out.splitlines() if line.strip()]
        return [r for r in rows if r["id"] == request_id and r["kind"] == kind]
    found = eventually(look)
    assert found, "no %s record of %s" % (kind, request_id)
    return found[-1]
