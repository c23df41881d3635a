"""The client that exists, unchanged, against the real server: `tritonclient.http`."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from modelmint.bootstrap import open_shop
from modelmint.cli.demo.calls import Caller
from modelmint.tasks.registry import TASKS
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "standard-clients.md"
LEVELS = (3, 90, 128, 200, 251)


@dataclass(frozen=True)
class Shop:
    furnished: Furnished
    url: str
    trial: str

    @property
    def model(self) -> str:
        return self.furnished.model

    def used(self) -> int:
        """Calls in the books."""
        with open_shop(self.furnished.root) as shop:
            return sum(row.calls for row in shop.books.outcomes(self.furnished.customer) if row.status == 200)

    def encoded(self) -> Any:
        """The pictures as the model takes them."""
        with open_shop(self.furnished.root) as shop:
            spec = shop.shelf.get(self.furnished.release).model(self.model).spec
        return TASKS.get(spec.task).encode(scans(), spec.settings)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("triton")
    furnished = furnish(root)
    with open_shop(root) as opened:
        customer = opened.books.add_customer("Clinic South", "")
        opened.books.subscribe(customer.id, "trial")
        _, trial = opened.books.add_key(customer.id, "default")
    line = [sys.executable, "-m", "modelmint", "-C", str(root), "--json", "serve", "--workers", "1", "--port", "0"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield Shop(furnished, json.loads(process.stdout.readline())["url"], trial)
    finally:
        process.terminate()
        assert process.wait(60) == 0


@pytest.fixture
def client(shop: Shop) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(shop.url.removeprefix("http://"), concurrency=4) as client:
        yield client


@pytest.fixture
def key(shop: Shop) -> dict[str, str]:
    return bearer(shop.furnished.secret)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def scans() -> list[bytes]:
    return [picture(level, noise=40, seed=level, side=24) for level in LEVELS]


def given(array: Any, name: str, datatype: str, *, binary: bool = True) -> list[triton.InferInput]:
    return [triton.InferInput(name, list(array.shape), datatype).set_data_from_numpy(array, binary_data=binary)]


def objects(items: list[bytes]) -> Any:
    array = np.empty(len(items), dtype=np.object_)
    array[:] = items
    return array


def one_by_one(shop: Shop, items: list[bytes]) -> list[dict[str, Any]]:
    """What `/v1` answers to each."""
    caller = Caller(shop.url, shop.model, shop.furnished.secret)
    try:
        replies = [caller.call(item) for item in items]
    finally:
        caller.close()
    assert [reply.status for reply in replies] == [200] * len(items)
    return [reply.body for reply in replies]


def assert_same(found: triton.InferResult, answers: list[dict[str, Any]]) -> None:
    """Every number to the last digit."""
    labels = found.as_numpy("label").tolist()  # bytes where they came as such, text where they came as JSON
    assert [one.decode() if isinstance(one, bytes) else one for one in labels] == [one["label"] for one in answers]
    assert found.as_numpy("probabilities").dtype == np.float64
    assert found.as_numpy("probabilities").tolist() == [list(one["probabilities"].values()) for one in answers]
    assert found.as_numpy("probability").tolist() == [one["probability"] for one in answers]
    assert found.as_numpy("abstained").tolist() == [one["abstained"] for one in answers]


def test_it_learns_that_server_and_model_are_there_and_what_the_model_takes(
    client: triton.InferenceServerClient, shop: Shop
) -> None:
    version = shop.furnished.release[:12]
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(shop.model)
    assert client.is_model_ready(shop.model, version)
    assert not client.is_model_ready("another")
    assert not client.is_model_ready(shop.model, "1")
    assert client.get_server_metadata()["name"] == "modelmint"
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    told = client.get_model_metadata(shop.model, version)
    assert (told["name"], told["versions"]) == (shop.model, [version])
    config = client.get_model_config(shop.model)
    assert [one["name"] for one in config["input"]] == [one["name"] for one in told["inputs"]] == ["image", "pixels"]
    assert [one["dims"] for one in config["output"]] == [one["shape"] for one in told["outputs"]]
    assert (config["max_batch_size"], config["output"][0]["data_type"]) == (0, "TYPE_STRING")
    assert client.get_model_repository_index() == [
        {"name": shop.model, "version": version, "state": "READY", "reason": ""}
    ]


@pytest.mark.parametrize("binary", [True, False])
def test_pictures_infer_as_v1_answers_them_and_usage_grows_by_exactly_the_items(
    client: triton.InferenceServerClient, shop: Shop, key: dict[str, str], binary: bool
) -> None:
    answers = one_by_one(shop, scans())
    before = shop.used()
    sent = objects(scans() if binary else [base64.b64encode(scan) for scan in scans()])
    outputs = None if binary else [triton.InferRequestedOutput(name, binary_data=False) for name in NAMES]
    found = client.infer(shop.model, given(sent, "image", "BYTES", binary=binary), outputs=outputs, headers=dict(key))
    assert_same(found, answers)
    assert shop.used() == before + len(scans())


NAMES = ("label", "probability", "probabilities", "logits", "abstained", "prediction")


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
def test_tensors_infer_as_v1_answers_the_pictures_that_they_are(
    client: triton.InferenceServerClient, shop: Shop, key: dict[str, str], binary: bool, datatype: str
) -> None:
    answers = one_by_one(shop, scans())
    before = shop.used()
    tensor = shop.encoded().astype({"FP32": np.float32, "FP64": np.float64}[datatype])
    inputs = given(tensor, "pixels", datatype, binary=binary)
    found = client.infer(shop.model, inputs, shop.furnished.release[:12], headers=dict(key), request_id="r-1")
    assert_same(found, answers)
    told = found.get_response()
    assert (told["id"], told["model_version"]) == ("r-1", shop.furnished.release[:12])
    assert told["parameters"]["release"] == shop.furnished.release
    assert shop.used() == before + len(scans())


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_it_compresses_both_ways(
    client: triton.InferenceServerClient, shop: Shop, key: dict[str, str], algorithm: str
) -> None:
    sent = given(shop.encoded(), "pixels", "FP32")
    packed = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
    found = client.infer(shop.model, sent, headers=dict(key), **packed)
    assert found._buffer  # read behind the JSON, after unpacking
    assert_same(found, one_by_one(shop, scans()))


def test_many_calls_at_once_get_each_its_own_answer(
    client: triton.InferenceServerClient, shop: Shop, key: dict[str, str]
) -> None:
    waiting = [
        client.async_infer(shop.model, given(objects([scan]), "image", "BYTES"), headers=dict(key), request_id=str(n))
        for n, scan in enumerate(scans() * 4)
    ]
    answers = one_by_one(shop, scans()) * 4
    for n, (one, answer) in enumerate(zip(waiting, answers, strict=True)):
        found = one.get_result()
        assert found.get_response()["id"] == str(n)
        assert_same(found, [answer])


def test_refusals_arrive_as_the_clients_own_exception(client: triton.InferenceServerClient, shop: Shop) -> None:
    sent = given(objects(scans()[:1]), "image", "BYTES")
    key = bearer(shop.furnished.secret)
    no_picture = given(objects([b"x"]), "image", "BYTES")
    cases = [
        (lambda: client.infer(shop.model, sent, headers=bearer("mm_wrong")), "401", "key"),
        (lambda: client.infer(shop.model, sent), "401", "found no key"),
        (lambda: client.infer("another", sent, headers=key), "404", "no model called 'another'"),
        (lambda: client.infer(shop.model, sent, "1", headers=key), "404", "expected version"),
        (
            lambda: client.infer(shop.model, no_picture, headers=key),
            "422",
            "picture",
        ),
        (lambda: client.get_model_metadata("another"), "404", "no model called 'another'"),
        (lambda: client.get_inference_statistics(), "404", ""),
        (lambda: client.get_system_shared_memory_status(), "404", "no such route"),
        (lambda: client.load_model(shop.model), "404", "no such route"),
    ]
    for call, status, said in cases:
        with pytest.raises(InferenceServerException) as caught:
            call()
        assert caught.value.status() == status
        assert said in caught.value.message()


def test_a_trial_that_is_used_up_is_refused_with_the_plans_to_buy(
    client: triton.InferenceServerClient, shop: Shop
) -> None:
    key = bearer(shop.trial)
    three = given(objects(scans()[:3]), "image", "BYTES")
    assert client.infer(shop.model, three, headers=dict(key)).get_response()["parameters"]["remaining"] == 0
    with pytest.raises(InferenceServerException) as caught:
        client.infer(shop.model, three, headers=dict(key))
    assert caught.value.status() == "402"
    assert "plan" in caught.value.message()


@pytest.mark.parametrize("language", ["python", "bash"])
def test_what_the_guide_shows_works(shop: Shop, tmp_path: Path, language: str) -> None:
    (tmp_path / "scan.png").write_bytes(picture(251))
    shown = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)[-1]
    ours = {"http://127.0.0.1:8000": shop.url, "127.0.0.1:8000": shop.url.removeprefix("http://"), "digits": shop.model}
    for theirs, own in {**ours, "mm_...": shop.furnished.secret, "$KEY": shop.furnished.secret}.items():
        shown = shown.replace(theirs, own)
    line = [sys.executable, "-c", shown] if language == "python" else ["bash", "-euc", shown]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "bright" in done.stdout
    assert "probabilities" in done.stdout
