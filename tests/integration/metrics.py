# SPDX-License-Identifier: Apache-2.0
"""metrics.py -- what /metrics prints, read by a strict parser of its own (Prometheus text format 0.0.4), before and after requests.

    python3 tests/integration/metrics.py
"""
import re

from _weir import Tests, Weir, chat, free_port, request

tests = Tests()

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
VALUE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|Inf|NaN)$")


def parse(text):
    """{family: (type, help, {(sample name, labels): value})}; raises on whatever the format does not allow."""
    families, current = {}, None
    assert text.endswith("\n"), "the last line must end"
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, words = line[7:].partition(" ")
            assert NAME.fullmatch(name) and words and name not in families, line
            current = name
            families[name] = [None, words, {}]
            continue
        if line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == current and kind in ("counter", "gauge", "histogram") and families[name][0] is None, line
            families[name][0] = kind
            continue
        assert line and not line.startswith("#"), line
        name = NAME.match(line).group(0)
        rest, labels = line[len(name):], []
        if rest.startswith("{"):
            rest = rest[1:]
            while True:
                m = LABEL.match(rest)
                assert m, line
                labels.append(m.groups())
                rest = rest[m.end():]
                if rest.startswith("}"):
                    rest = rest[1:]
                    break
                assert rest.startswith(","), line
                rest = rest[1:]
        assert rest.startswith(" ") and VALUE.match(rest[1:]), line
        kind, _, samples = families[current]
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        assert name in [current + s for s in suffixes], line
        assert len(set(k for k, _ in labels)) == len(labels), line
        key = (name, tuple(labels))
        assert key not in samples, "twice: " + line
        samples[key] = float(rest[1:])
    return families


def check_histogram(name, samples):
    series = {}
    for (sample, labels), value in samples.items():
        rest = tuple(kv for kv in labels if kv[0] != "le")
        s = series.setdefault(rest, {"le": []})
        if sample == name + "_bucket":
            s["le"].append((float(dict(labels)["le"]), value))
        else:
            s[sample[len(name):]] = value
    for rest, s in series.items():
        edges = [e for e, _ in s["le"]]
        counts = [c for _, c in s["le"]]
        assert edges == sorted(set(edges)) and edges[-1] == float("inf"), (name, rest)
        assert counts == sorted(counts), (name, rest, "not cumulative")
        assert counts[-1] == s["_count"], (name, rest)
        assert s["_sum"] >= 0 and (s["_count"] > 0 or s["_sum"] == 0), (name, rest)
        # the sum lies between what the buckets allow at least and at most
        least = sum((c - p) * low for (_, c), p, low in zip(s["le"], [0] + counts, [0] + edges))
        assert s["_sum"] >= least * 0.999 - 1e-6, (name, rest, s["_sum"], least)


def check_all(families):
    for name, (kind, _, samples) in families.items():
        assert name.startswith("weir_"), name
        assert kind, name + " has no type"
        assert (kind == "counter") == name.endswith("_total"), name
        if kind == "counter":
            assert all(v >= 0 for v in samples.values()), name
        if kind == "histogram":
            assert name.endswith("_seconds"), name
            check_histogram(name, samples)


def value(families, name, **labels):
    return families[name][2][(name, tuple(labels.items()))]


@tests
def metrics_are_well_formed_and_right():
    port = free_port()
    with Weir('admin = "127.0.0.1:%d";\n' % port) as w:
        def metrics():
            status, headers, text = request(port, "GET", "/metrics")
            assert status == 200 and headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8", headers
            families = parse(text.decode())
            check_all(families)
            return families

        assert request(port, "GET", "/health")[0::2] == (200, b"ok\n")
        status, _, why = request(port, "GET", "/ready")
        assert status == 200 and why == b"journal ok\nworkers 1\n", why
        before = metrics()
        for _ in range(7):
            assert chat(w.port, "hello")[0] == 200
        assert chat(w.port, "hello", model="no/such-model")[0] == 404
        w.wait_records(7)
        after = metrics()
        assert value(after, "weir_requests_total", outcome="ok") - value(before, "weir_requests_total", outcome="ok") == 7
        assert sum(after["weir_endpoint_attempts_total"][2].values()) == 7
        assert after["weir_request_seconds"][2][("weir_request_seconds_count", ())] >= 7
        for (sample, labels), seconds in after["weir_step_seconds"][2].items():
            assert not sample.endswith("_sum") or seconds < 60, (labels, seconds)   # and not the time since the machine started
        assert len({dict(labels)["step"] for _, labels in after["weir_step_seconds"][2]}) >= 5
        assert value(after, "weir_journal_records_total") >= 14
        assert value(after, "weir_journal_failed") == 0


tests.run()
