# SPDX-License-Identifier: Apache-2.0
"""openrouter.py -- clients of OpenRouter's API (/api/v1): what of their requests reaches a server of OpenAI's, what is refused or told,
errors and the list of models in their shape; OpenRouter itself gets their bytes.
"""
import json

from _weir import Tests, Upstream, Weir, answer, completion, request

tests = Tests()
CONFIG = 'providers = ( { name = "up"; plugin = "openai"; url = "%s/v1"; key = "env:UP"; models = [ "m", "openai/gpt-4o=gpt-4o" ]; %s } );\n'
ENV = {"UP": "a-key-of-some-length"}
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def post(w, **more):
    answered = request(w.port, "POST", "/api/v1/chat/completions", dict(ASK, **more))
    return answered[0], answered[1], json.loads(answered[2])


def sent(up):
    return json.loads(up.requests[-1][2])


def with_up(block=""):
    up = Upstream(lambda n, r: [answer(completion("yes"))])
    return up, Weir(CONFIG % (up.url, block), env=ENV)


@tests
def members_are_mapped_or_told():
    up, weir = with_up()
    with weir as w:
        status, headers, _ = post(w, reasoning={"effort": "high"}, usage={"include": True}, provider={"sort": "price"},
                                  models=["m", "other"], transforms=["middle-out"], session_id="s", include_reasoning=True,
                                  plugins=[{"id": "web", "enabled": False}])
        assert status == 200, status
        body = sent(up)
        assert body["reasoning_effort"] == "high", body
        for key in ("reasoning", "provider", "models", "transforms", "session_id", "usage", "plugins"):
            assert key not in body, (key, body)
        told = str(headers)
        for key in ("provider.sort", "models", "transforms", "session_id"):
            assert key in told, (key, told)
    up.close()


@tests
def conditions_are_refused_by_name():
    up, weir = with_up()
    with weir as w:
        for field, more in (("provider.zdr", {"provider": {"zdr": True}}),
                            ("provider.data_collection", {"provider": {"data_collection": "deny"}}),
                            ("provider.only", {"provider": {"only": ["groq"]}}),
                            ("provider.max_price", {"provider": {"max_price": {"prompt": "1"}}}),
                            ("provider.sorte", {"provider": {"sorte": "price"}}),
                            ("plugins[0]", {"plugins": [{"id": "web"}]})):
            status, _, body = post(w, **more)
            assert status == 400, (field, status, body)
            error = body["error"]
            assert error["code"] == 400 and isinstance(error["message"], str), body
            assert error["metadata"]["error_type"] == "invalid_request" and error["metadata"]["field"] == field, body
            assert body["user_id"] is None, body
        assert not up.requests
        for more in ({"provider": {"zdr": False, "data_collection": "allow", "allow_fallbacks": True, "only": []}}, {"plugins": []}):
            assert post(w, **more)[0] == 200, more
    up.close()


@tests
def conditions_hold_where_the_rest_is_dropped():
    up, weir = with_up('unsupported = "drop";')
    with weir as w:
        for name, value in (("zdr", True), ("only", ["a"]), ("data_collection", "deny")):
            status, _, body = post(w, provider={name: value})
            assert status == 400 and "provider." + name in body["error"]["message"], (name, status, body)
        assert not up.requests
        assert post(w, plugins=[{"id": "web"}])[0] == 200
    up.close()


@tests
def openrouter_itself_gets_the_bytes():
    up, weir = with_up("superset = true;")
    with weir as w:
        more = {"provider": {"zdr": True, "order": ["a"]}, "reasoning": {"max_tokens": 5}, "plugins": [{"id": "web"}]}
        assert post(w, **more)[0] == 200
        assert sent(up) == dict(ASK, **more), sent(up)
    up.close()


@tests
def unknown_models_have_a_number_for_a_code():
    up, weir = with_up()
    with weir as w:
        status, _, body = post(w, model="acme/none")
        assert status == 404 and body["error"]["code"] == 404, body
        assert body["error"]["metadata"]["error_type"] == "not_found", body
        status, _, text = request(w.port, "POST", "/v1/chat/completions", dict(ASK, model="acme/none"))[:3]
        assert isinstance(json.loads(text)["error"]["code"], str), text
    up.close()


@tests
def models_in_their_shape():
    up, weir = with_up()
    with weir as w:
        status, _, text = request(w.port, "GET", "/api/v1/models")[:3]
        body = json.loads(text)
        assert status == 200 and body["links"] == {"next": None} and body["total_count"] == 2, body
        known, other = body["data"][1], body["data"][0]
        assert known["id"] == "openai/gpt-4o" and known["context_length"] == 128000, known
        assert known["architecture"]["modality"].endswith("->text") and "image" in known["architecture"]["input_modalities"], known
        assert "tools" in known["supported_parameters"], known
        assert other["id"] == other["name"] == other["canonical_slug"] == "m", other
        assert other["pricing"] == {"prompt": "-1", "completion": "-1"} and other["context_length"] is None, other
        for model in body["data"]:
            for key in ("per_request_limits", "default_parameters", "supported_voices"):
                assert key in model and model[key] is None, (key, model)
            assert model["links"]["details"].startswith("/api/v1/models/"), model
        assert json.loads(request(w.port, "GET", "/v1/models")[2])["object"] == "list"
    up.close()


tests.run()
