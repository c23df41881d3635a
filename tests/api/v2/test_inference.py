"""The protocol's routes in this process: answers, errors, outcome rows, retries."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx
import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput, InferResult

from modelmint.api.app import Application
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished

V1, V2 = "/v1/models/brightness/predict", "/v2/models/brightness/infer"


@pytest.fixture
def ask(app: Application, furnished: Furnished) -> Any:
    def ask(path: str, content: bytes = b"", method: str = "POST", key: str = furnished.secret, **more: str) -> Any:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
                headers = {"Authorization": f"Bearer {key}"} | {n.replace("_", "-"): v for n, v in more.items()}
                return await http.request(method, path, content=content, headers=headers)

        return asyncio.run(once())

    return ask


def request(array: Any, name: str, datatype: str, *, binary: bool = True, **more: Any) -> tuple[bytes, dict[str, str]]:
    """Body and headers as tritonclient makes them."""
    given = InferInput(name, list(array.shape), datatype).set_data_from_numpy(array, binary_data=binary)
    body, length = InferenceServerClient.generate_request_body([given], **more)
    return body, {} if length is None else {"Inference_Header_Content_Length": str(length)}


def pictures(*values: int) -> Any:
    array = np.empty(len(values), dtype=np.object_)
    array[:] = [picture(value) for value in values]
    return array


def result(answer: httpx.Response) -> InferResult:
    assert answer.status_code == 200, answer.text
    length = answer.headers.get("inference-header-content-length")
    return InferResult.from_response_body(answer.content, header_length=length and int(length))


def rows(app: Application, code: str) -> list[tuple[int, str, int]]:
    return [(row.status, row.model, row.items) for row in app.service.shop.books.outcomes() if row.code == code]


def test_pictures_in_a_batch_are_answered_as_v1_answers_them(ask: Any) -> None:
    body, headers = request(pictures(20, 250, 128), "image", "BYTES", request_id="seven")
    found = result(ask(V2, body, **headers))
    form = json.dumps({"images": [__import__("base64").b64encode(picture(v)).decode() for v in (20, 250, 128)]})
    other = ask(V1, form.encode(), Content_Type="application/json").json()
    assert found.as_numpy("label").tolist() == [one["label"].encode() for one in other["predictions"]]
    assert found.as_numpy("probabilities").tolist() == [
        [*one["probabilities"].values()] for one in other["predictions"]
    ]
    assert found.as_numpy("probability").tolist() == [one["probability"] for one in other["predictions"]]
    assert found.as_numpy("abstained").tolist() == [one["abstained"] for one in other["predictions"]]
    assert found.as_numpy("logits").shape == (3, 2)
    told = found.get_response()
    assert (told["id"], told["model_name"], told["model_version"]) == ("seven", "brightness", other["release"][:12])
    assert {name: told["parameters"][name] for name in ("release", "variant", "use", "plan")} == {
        name: other[name] for name in ("release", "variant", "use", "plan")
    }
    prediction = told["parameters"]["prediction"]
    assert found.as_numpy("prediction").tolist() == [f"{prediction}.{n}".encode() for n in range(3)]


def test_a_tensor_is_answered_as_the_picture_that_it_was_made_of(app: Application, ask: Any) -> None:
    lane = app.service.host.lane("brightness")
    for value in (0, 77, 255):
        tensor = lane.task.encode([picture(value)], lane.spec.settings)
        body, headers = request(tensor, lane.spec.input_name, "FP32")
        found, other = result(ask(V2, body, **headers)), ask(V1, picture(value)).json()
        assert found.as_numpy("probabilities").tolist() == [[*other["probabilities"].values()]]
        body, headers = request(tensor, lane.spec.input_name, "FP32", binary=False)
        told = result(ask(V2, body, **headers)).as_numpy("probabilities").tolist()
        assert told == [[*other["probabilities"].values()]]


def test_the_outputs_asked_for_come_in_their_order_and_form(ask: Any) -> None:
    wanted = [InferRequestedOutput("logits", binary_data=False), InferRequestedOutput("label")]
    body, headers = request(pictures(250), "image", "BYTES", outputs=wanted)
    answer = ask(V2, body, **headers)
    assert answer.headers["content-type"] == "application/octet-stream"
    told = result(answer).get_response()["outputs"]
    assert [output["name"] for output in told] == ["logits", "label"]
    assert ("data" in told[0], "data" in told[1]) == (True, False)
    assert told[1]["parameters"] == {"binary_data_size": 4 + len("bright")}
    texts = [InferRequestedOutput("label", binary_data=False)]
    body, headers = request(pictures(250), "image", "BYTES", outputs=texts)
    answer = ask(V2, body, **headers)
    assert answer.headers["content-type"] == "application/json"
    assert "inference-header-content-length" not in answer.headers
    assert answer.json()["outputs"] == [{"name": "label", "datatype": "BYTES", "shape": [1], "data": ["bright"]}]


def test_the_highest_values_are_told_with_index_and_label(ask: Any) -> None:
    wanted = [InferRequestedOutput("probabilities", class_count=1), InferRequestedOutput("logits", class_count=9)]
    body, headers = request(pictures(250, 10), "image", "BYTES", outputs=wanted)
    found = result(ask(V2, body, **headers))
    first = found.as_numpy("probabilities")
    assert first.shape == (2, 1)
    value, index, label = first[0][0].decode().split(":")
    assert (index, label, 0.9 < float(value) <= 1) == ("1", "bright", True)
    assert [[one.decode().split(":")[1:] for one in row] for row in found.as_numpy("logits")] == [
        [["1", "bright"], ["0", "dark"]],
        [["0", "dark"], ["1", "bright"]],
    ]


def test_explanations_come_as_numbers_and_pictures_and_are_metered(app: Application, ask: Any) -> None:
    wanted = [InferRequestedOutput("explanation"), InferRequestedOutput("explanation_png")]
    explain = {"explain": True}
    noisy = np.array([picture(128, noise=100)], dtype=np.object_)
    body, headers = request(noisy, "image", "BYTES", outputs=wanted, parameters=explain)
    before = sum(row.explanations for row in app.service.shop.books.outcomes())
    found = result(ask(V2, body, **headers))
    heat = found.as_numpy("explanation")
    assert heat.shape == (1, 7, 7)
    assert (heat.min(), heat.max()) == (0, 1)
    assert found.as_numpy("explanation_png")[0].startswith(b"\x89PNG")
    other = ask(V1 + "?explain=true", picture(128, noise=100)).json()["predictions"][0]["explanation"]
    assert heat[0].tolist() == other["values"]
    assert sum(row.explanations for row in app.service.shop.books.outcomes()) == before + 2
    body, headers = request(pictures(250), "image", "BYTES", outputs=wanted)
    assert "no output 'explanation'" in ask(V2, body, **headers).json()["error"]


def test_a_retry_with_the_same_key_gets_the_same_bytes_and_costs_nothing(app: Application, ask: Any) -> None:
    body, headers = request(pictures(30, 40), "image", "BYTES")
    first = ask(V2, body, Idempotency_Key="once", **headers)
    before = len(rows(app, "ok"))
    again = ask(V2, body, Idempotency_Key="once", Accept_Encoding="identity", **headers)
    assert (again.content, again.headers["idempotent-replay"]) == (first.content, "true")
    assert again.headers["inference-header-content-length"] == first.headers["inference-header-content-length"]
    assert len(rows(app, "ok")) == before
    for path, other in ((V2, request(pictures(30), "image", "BYTES")[0]), (V1, body)):
        refused = ask(path, other, Idempotency_Key="once", **(headers if path == V1 else {}))
        assert refused.status_code in (400, 409, 422)


def test_a_compressed_request_is_unpacked_within_the_bound_of_a_body(app: Application, ask: Any) -> None:
    body, headers = request(pictures(9), "image", "BYTES")
    answer = ask(V2, gzip.compress(body), Content_Encoding="gzip", Accept_Encoding="deflate", **headers)
    assert (answer.status_code, answer.headers["content-encoding"]) == (200, "deflate")
    assert result(answer).as_numpy("label").tolist() == [b"dark"]
    bomb = gzip.compress(bytes(app.service.shop.max_body + 1))
    refused = ask(V2, bomb, Content_Encoding="gzip")
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert ask(V2, body, Content_Encoding="gzip").json()["code"] == "bad_compression"
    assert ask(V2, body, Content_Encoding="br").status_code == 415


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_numbers_that_are_none_or_make_none_are_the_callers_fault_and_not_billed(
    app: Application, ask: Any, value: float
) -> None:
    before = len(rows(app, "ok"))
    tensor = np.full((1, 1, 8, 8), value, dtype=np.float32)
    body, headers = request(tensor, "pixels", "FP32")
    answer = ask(V2, body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_tensor")
    assert len(rows(app, "ok")) == before


def test_every_refusal_is_in_the_protocols_form_with_our_code(ask: Any) -> None:
    good, headers = request(pictures(9), "image", "BYTES")
    broken = request(np.array([b"no picture"], dtype=np.object_), "image", "BYTES")
    several = request(np.array([picture(9), b"no picture"], dtype=np.object_), "image", "BYTES")
    cases = [
        (ask(V2, good, key="mm_wrong", **headers), 401, "unauthenticated"),
        (ask(V2.replace("brightness", "brigthness"), good, **headers), 404, "unknown_model"),
        (ask("/v2/models/brightness/versions/7/infer", good, **headers), 404, "unknown_version"),
        (ask(V2, good), 400, "bad_infer_request"),
        (ask(V2, b"{}"), 400, "bad_infer_request"),
        (ask(V2, broken[0], **broken[1]), 422, "not_a_picture"),
        (ask(V2, several[0], **several[1]), 422, "not_a_picture"),
        (ask(V2, method="GET"), 405, "wrong_method"),
        (ask("/v2/nothing"), 404, "no_such_route"),
        (ask("/v2/models/stats", method="GET"), 404, "unknown_model"),
        (ask("/v2/models//infer", good), 404, "no_such_route"),
        (ask("/v2/models/brightness/versions//infer", good), 404, "no_such_route"),
    ]
    for answer, status, code in cases:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/json"
        assert len(answer.json()["error"]) > 10
    assert "input 2 of 2" in cases[6][0].json()["error"]
    assert cases[7][0].headers["allow"] == "POST"
    assert "binary_data_size" not in cases[3][0].json()["error"]


def test_refused_calls_leave_a_row_and_what_strangers_invent_is_counted_under_one_name(
    app: Application, ask: Any
) -> None:
    ask(V2, b"{}")
    assert (400, "brightness", 1) in rows(app, "bad_infer_request")
    ask("/v2/models/invented/infer", b"{}")
    ask("/v1/models/invented/predict", b"{", Content_Type="application/json")
    assert {row.model for row in app.service.shop.books.outcomes()} == {"brightness", "(unknown)"}


def test_a_failure_nobody_foresaw_is_told_as_an_error_of_the_protocol(
    app: Application, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("modelmint.api.v2.infer.parse", explode)
    answer = ask(V2, b"{}")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "instance" in answer.json()


def test_metadata_names_what_goes_in_and_comes_out(ask: Any, furnished: Furnished) -> None:
    version = furnished.release[:12]
    for path in ("/v2/models/brightness", f"/v2/models/brightness/versions/{version}"):
        told = ask(path, method="GET").json()
        assert (told["name"], told["versions"], told["platform"]) == ("brightness", [version], "onnxruntime_onnx")
        assert told["inputs"] == [
            {"name": "image", "datatype": "BYTES", "shape": [-1]},
            {"name": "pixels", "datatype": "FP32", "shape": [-1, 1, 8, 8]},
        ]
        assert {one["name"]: (one["datatype"], one["shape"]) for one in told["outputs"]} == {
            "label": ("BYTES", [-1]),
            "probability": ("FP64", [-1]),
            "probabilities": ("FP64", [-1, 2]),
            "logits": ("FP32", [-1, 2]),
            "abstained": ("BOOL", [-1]),
            "prediction": ("BYTES", [-1]),
        }
        assert told["parameters"]["labels"] == ["dark", "bright"]


def test_readiness_ends_when_a_stop_begins(app: Application, ask: Any) -> None:
    assert ask("/v2/health/ready", method="GET").json() == {"ready": True}
    app.service.draining = True
    try:
        answer = ask("/v2/health/ready", method="GET")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert answer.json()["error"] == "The service is not ready; a graceful stop is under way"
        assert ask("/v2/health/live", method="GET").json() == {"live": True}
    finally:
        app.service.draining = False
