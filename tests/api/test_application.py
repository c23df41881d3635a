"""The application in this process: what needs no second one."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from modelmint.api.app import Application
from modelmint.api.errors import BadQuery
from modelmint.api.openapi_v2 import PAID
from modelmint.api.problems import problem
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished


def ask(app: Application, method: str, path: str, client: tuple[str, int] = ("127.0.0.1", 1), **more: Any) -> Any:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=client, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            return await http.request(method, path, **more)

    return asyncio.run(once())


def test_the_document_is_valid_openapi_3_1(app: Application) -> None:
    document = ask(app, "GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all({"500", "503"} <= set(operation["responses"]) for operation in operations)


def test_every_route_is_in_the_document_and_nothing_else_is(app: Application) -> None:
    document = ask(app, "GET", "/openapi.json").json()
    documented = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    routed = {
        (route.path, method)
        for route in app.router.routes
        for method in getattr(route, "methods", ())
        if method != "HEAD"
    }
    assert documented == routed | {(path, "POST") for path in ("/v1/models/{model}/predict", *PAID)}


def test_the_paid_route_documents_every_refusal_of_the_contract(app: Application) -> None:
    responses = ask(app, "GET", "/openapi.json").json()["paths"]["/v1/models/{model}/predict"]["post"]["responses"]
    assert {"200", "400", "401", "402", "404", "413", "415", "422", "429", "500", "503"} <= set(responses)


def test_an_answer_matches_its_documented_schema(app: Application, furnished: Furnished) -> None:
    import jsonschema

    document = ask(app, "GET", "/openapi.json").json()
    headers = {"Authorization": f"Bearer {furnished.secret}", "Content-Type": "image/png"}
    answers = {
        "Answer": ask(app, "POST", "/v1/models/brightness/predict", content=picture(250), headers=headers),
        "Models": ask(app, "GET", "/v1/models"),
        "Plans": ask(app, "GET", "/v1/plans"),
        "Usage": ask(app, "GET", "/v1/usage", headers=headers),
        "Keys": ask(app, "GET", "/v1/keys", headers=headers),
        "Invoices": ask(app, "GET", "/v1/invoices", headers=headers),
        "Problem": ask(app, "GET", "/nowhere"),
    }
    for schema, answer in answers.items():
        whole = {**document, "$ref": f"#/components/schemas/{schema}"}
        jsonschema.Draft202012Validator(whole).validate(answer.json())


def test_metrics_are_for_this_machine_or_for_the_founder(app: Application) -> None:
    assert ask(app, "GET", "/metrics").status_code == 200
    assert ask(app, "GET", "/metrics", client=("203.0.113.9", 1)).status_code == 401
    assert ask(app, "GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401
    token = {"Authorization": f"Bearer {app.service.admin_token}"}
    assert ask(app, "GET", "/metrics", client=("203.0.113.9", 1), headers=token).status_code == 200


def test_the_founders_token_is_readable_by_its_owner_only(app: Application, furnished: Furnished) -> None:
    file = furnished.root / ".modelmint" / "keys" / "admin.token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().strip() == app.service.admin_token
    assert len(app.service.admin_token) > 40


def test_readiness_ends_when_a_stop_begins_and_liveness_does_not(app: Application) -> None:
    assert ask(app, "GET", "/healthz/ready").json() == {"status": "ready", "models": ["brightness"], "not_served": []}
    app.service.draining = True
    try:
        answer = ask(app, "GET", "/healthz/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert ask(app, "GET", "/healthz/live").status_code == 200
    finally:
        app.service.draining = False


def test_a_failure_nobody_foresaw_is_a_500_without_internals(
    app: Application, furnished: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(app.service.shop.books, "usage", explode)
    answer = ask(app, "GET", "/v1/usage", headers={"Authorization": f"Bearer {furnished.secret}"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert re.fullmatch(r"urn:modelmint:incident:inc_[0-9a-z]{24}", answer.json()["instance"])


def test_json_fields_that_are_missing_or_wrong_are_named(app: Application) -> None:
    token = {"Authorization": f"Bearer {app.service.admin_token}"}
    for body, found in ((b"[]", "another kind"), (b"{", "something else"), (b'{"name": 7}', "'name'"), (b"", "'name'")):
        answer = ask(app, "POST", "/admin/v1/customers", content=body, headers=token)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_field")
        assert found in answer.json()["detail"]


def test_the_founder_makes_a_customer_with_plan_and_key_and_sees_it(app: Application) -> None:
    token = {"Authorization": f"Bearer {app.service.admin_token}"}
    made = ask(app, "POST", "/admin/v1/customers", json={"name": "North", "plan": "trial"}, headers=token)
    assert made.status_code == 201
    identity, secret = made.json()["customer"]["id"], made.json()["key"]["secret"]
    shown = ask(app, "GET", f"/admin/v1/customers/{identity}", headers=token).json()
    assert (shown["name"], shown["subscriptions"][0]["plan"]) == ("North", "trial")
    assert secret not in json.dumps(shown)
    own = {"Authorization": f"Bearer {secret}"}
    assert ask(app, "GET", "/v1/usage", headers=own).json()["plan"] == "trial"
    ask(app, "POST", f"/admin/v1/customers/{identity}/subscription", json={"plan": "payg"}, headers=token)
    assert ask(app, "GET", "/v1/usage", headers=own).json()["plan"] == "payg"
    unknown = ask(app, "POST", "/admin/v1/customers", json={"name": "South", "plan": "none"}, headers=token)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_plan")
    names = [one["name"] for one in ask(app, "GET", "/admin/v1/customers", headers=token).json()["customers"]]
    assert "South" not in names


def test_deployments_are_shown_made_and_taken_back(app: Application, furnished: Furnished) -> None:
    from modelmint.testing.releases import brightness_release

    other = brightness_release(Path(furnished.root) / ".modelmint" / "releases", sharpness=5.0)
    token = {"Authorization": f"Bearer {app.service.admin_token}"}
    made = ask(app, "POST", "/admin/v1/deployments", json={"release": other.id[:10]}, headers=token)
    assert (made.status_code, made.json()["deployments"][0]["release"]) == (201, other.id)
    assert ask(app, "GET", "/v1/models").json()["models"][0]["release"] == other.id
    back = ask(app, "POST", "/admin/v1/deployments/brightness/rollback", headers=token)
    assert back.json()["release"] == furnished.release
    assert ask(app, "GET", "/v1/models").json()["models"][0]["release"] == furnished.release
    nothing = ask(app, "POST", "/admin/v1/deployments/unknown/rollback", headers=token)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_before")
    shown = ask(app, "GET", "/admin/v1/deployments", headers=token).json()
    assert (shown["deployments"][0]["release"], shown["failures"]) == (furnished.release, {})
    assert len(ask(app, "GET", "/admin/v1/releases", headers=token).json()["releases"]) == 2


def test_a_name_that_was_deployed_once_only_has_nothing_to_go_back_to(app: Application, furnished: Furnished) -> None:
    token = {"Authorization": f"Bearer {app.service.admin_token}"}
    wanted = {"release": furnished.release, "name": "once-only"}
    assert ask(app, "POST", "/admin/v1/deployments", json=wanted, headers=token).status_code == 201
    for name, found in (("once-only", "has only ever served"), ("unknown", "was never deployed")):
        answer = ask(app, "POST", f"/admin/v1/deployments/{name}/rollback", headers=token)
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_before")
        assert found in answer.json()["detail"]


@pytest.mark.parametrize("name", ["a b/c?", "Upper", "-x", "x" * 64, "\u00e9"])
def test_a_public_name_that_cannot_stand_in_an_address_is_refused(
    app: Application, furnished: Furnished, name: str
) -> None:
    token = {"Authorization": f"Bearer {app.service.admin_token}"}
    answer = ask(app, "POST", "/admin/v1/deployments", json={"release": furnished.release, "name": name}, headers=token)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_model_name")
    assert name not in [row.name for row in app.service.shop.books.deployments()]


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"a\\u0000b"', '"two\\nlines"', '"' + "x" * 501 + '"', "[" * 90 + "]" * 90]
)
def test_a_text_with_control_characters_or_half_a_character_is_refused_and_repeated_in_short(
    app: Application, text: str
) -> None:
    token = {"Authorization": f"Bearer {app.service.admin_token}"}
    content = b'{"name": ' + text.encode() + b"}"
    answer = ask(app, "POST", "/admin/v1/customers", content=content, headers=token)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_field")
    assert len(answer.json()["detail"]) < 200


def test_half_a_character_in_a_message_is_escaped(app: Application) -> None:
    token = {"Authorization": f"Bearer {app.service.admin_token}"}
    answer = ask(app, "POST", "/admin/v1/deployments", content=b'{"release": "\\udc00"}', headers=token)
    assert answer.status_code == 422
    status, _, body = problem(BadQuery("found \udc00"))
    assert (status, json.loads(body)["detail"]) == (422, "found \udc00")


def test_a_path_with_a_slash_too_many_is_404_as_a_problem(app: Application) -> None:
    answer = ask(app, "GET", "/v1/models/")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "no_such_route"


@pytest.mark.parametrize("period", ["2026-1", "2026-001", "", "2026-13", "\u0662026-11", "20260-1"])
def test_a_period_that_is_not_four_digits_dash_two_is_refused(
    app: Application, furnished: Furnished, period: str
) -> None:
    headers = {"Authorization": f"Bearer {furnished.secret}"}
    answer = ask(app, "GET", "/v1/usage", params={"period": period}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_period")
    assert ask(app, "GET", "/v1/usage", params={"period": "2026-01"}, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/v1/usage", "/v1/models/brightness/predict", "/admin/v1/customers"])
def test_two_authorization_headers_are_refused(app: Application, furnished: Furnished, path: str) -> None:
    token = app.service.admin_token if path.startswith("/admin") else furnished.secret
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer mm_other")]
    answer = ask(app, "POST" if path.endswith("predict") else "GET", path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_header")


def test_a_model_that_is_not_served_is_titled_so_whatever_releases_hold(app: Application, furnished: Furnished) -> None:
    headers = {"Authorization": f"Bearer {furnished.secret}"}
    answer = ask(app, "POST", "/v1/models/brigthness/predict", content=picture(9), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_model")
    assert answer.json()["title"] == "No model of this name is served"


def test_a_call_that_fails_for_a_reason_nobody_foresaw_while_it_is_read_leaves_an_outcome_row(
    app: Application, furnished: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("modelmint.api.hot.payloads_from", explode)
    path, headers = "/v1/models/brightness/predict", {"Authorization": f"Bearer {furnished.secret}"}
    answer = ask(app, "POST", path, content=picture(9), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    rows = [row for row in app.service.shop.books.outcomes() if row.code == "internal_error"]
    assert [(row.status, row.model) for row in rows] == [(500, "brightness")]
    stranger = ask(app, "POST", path, content=picture(9), headers={"Authorization": "Bearer mm_nobody"})
    assert stranger.status_code == 401


def test_the_document_tells_of_a_head_that_is_too_large(app: Application) -> None:
    document = ask(app, "GET", "/openapi.json").json()
    assert "too large" in document["components"]["responses"]["E431"]["description"]
    assert all("431" in one["responses"] for path in document["paths"].values() for one in path.values())


def test_explanations_come_by_query_and_match_their_documented_schema(app: Application, furnished: Furnished) -> None:
    import jsonschema

    headers = {"Authorization": f"Bearer {furnished.secret}", "Content-Type": "image/png"}
    path = "/v1/models/brightness/predict"
    answer = ask(app, "POST", f"{path}?explain=true", content=picture(250), headers=headers)
    document = ask(app, "GET", "/openapi.json").json()
    schema = {"$ref": "#/components/schemas/Answer", "components": document["components"]}
    jsonschema.validate(answer.json(), schema)
    found = answer.json()["predictions"][0]["explanation"]
    jsonschema.validate(found, {"$ref": "#/components/schemas/Explanation", "components": document["components"]})
    assert (found["label"], found["kind"], len(found["values"])) == (answer.json()["label"], "occlusion", 7)
    assert "explanation" not in answer.json()
    for query in ("?explain=false", "?other=1", "?explain=0&x=%ff"):
        plain = ask(app, "POST", path + query, content=picture(250), headers=headers).json()
        assert "explanation" not in plain["predictions"][0]


def test_a_query_that_cannot_be_read_is_refused_and_not_billed(app: Application, furnished: Furnished) -> None:
    headers = {"Authorization": f"Bearer {furnished.secret}", "Content-Type": "image/png"}
    for query in ("explain=maybe", "explain=", "&".join(["a=1"] * 40)):
        found = ask(app, "POST", f"/v1/models/brightness/predict?{query}", content=picture(250), headers=headers)
        assert (found.status_code, found.json()["code"]) == (422, "bad_field")


def test_a_retry_with_another_wish_is_another_call(app: Application, furnished: Furnished) -> None:
    headers = {"Authorization": f"Bearer {furnished.secret}", "Content-Type": "image/png", "Idempotency-Key": "wish"}
    path = "/v1/models/brightness/predict"
    first = ask(app, "POST", f"{path}?explain=true", content=picture(250), headers=headers)
    again = ask(app, "POST", f"{path}?explain=true", content=picture(250), headers=headers)
    assert (again.content, again.headers["idempotent-replay"]) == (first.content, "true")
    assert ask(app, "POST", path, content=picture(250), headers=headers).json()["code"] == "idempotency_mismatch"
