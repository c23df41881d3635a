from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from modelmint.data.errors import NotAPicture
from modelmint.inference.encoded import encode_all
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.predictor import Predictor, run_batches
from modelmint.kit.arrays import AnyArray
from modelmint.tasks.errors import BadOutputs
from modelmint.tasks.types import ModelSpec


@pytest.fixture
def predictor(tiny_graph: Path, tiny_spec: ModelSpec) -> Predictor:
    return Predictor(tiny_spec, ENGINES.get("onnxruntime")(tiny_graph, 1))


def test_a_picture_gets_the_same_answer_alone_and_in_a_batch(predictor: Predictor, pictures: list[bytes]) -> None:
    together = predictor.predict(pictures[:64])
    alone = [predictor.predict([one])[0] for one in pictures[:64]]
    assert [one.label for one in together] == [one.label for one in alone]
    np.testing.assert_allclose(
        [one.probabilities for one in together], [one.probabilities for one in alone], rtol=0, atol=1e-6
    )


def test_the_batch_size_does_not_change_the_logits(predictor: Predictor, pictures: list[bytes]) -> None:
    wanted = predictor.logits(pictures, batch_size=64)
    assert wanted.shape == (150, 3)
    assert wanted.dtype == np.float32
    for size in (1, 7, 1000):
        np.testing.assert_allclose(predictor.logits(pictures, batch_size=size), wanted, atol=1e-6)


def test_nothing_in_gives_nothing_out(predictor: Predictor) -> None:
    assert predictor.logits([]).shape == (0, 3)
    assert predictor.predict([]) == []


def test_a_bad_picture_is_named_by_its_place_among_all(predictor: Predictor, pictures: list[bytes]) -> None:
    spoiled = [*pictures[:100], b"not a picture", *pictures[100:], b"nor this"]
    with pytest.raises(NotAPicture) as caught:
        encode_all(predictor.spec, spoiled, workers=4)
    assert str(caught.value).startswith("input 101 of 152: ")
    assert caught.value.details["input"] == 100


def test_threads_encode_to_the_same_array_as_one(tiny_spec: ModelSpec, pictures: list[bytes]) -> None:
    one = encode_all(tiny_spec, pictures, workers=1)
    assert one.shape == (150, 3, 16, 16)
    assert np.array_equal(one, encode_all(tiny_spec, pictures, workers=4))
    assert np.array_equal(one, encode_all(tiny_spec, pictures))


def test_many_threads_may_predict_at_once(predictor: Predictor, pictures: list[bytes]) -> None:
    wanted = predictor.predict(pictures[:10])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: predictor.predict(pictures[:10]), range(40)))
    assert all([a.label for a in one] == [a.label for a in wanted] for one in found)


class _Mixer:
    name = "mixer"

    def run(self, batch: AnyArray) -> AnyArray:
        return np.zeros((1, 3), dtype=np.float32)

    def cam(self, batch: AnyArray) -> AnyArray | None:
        return None

    def close(self) -> None:
        return None


def test_a_graph_that_mixes_rows_is_found_out() -> None:
    with pytest.raises(BadOutputs, match="one output per input, 4; found 1"):
        run_batches(_Mixer(), np.zeros((4, 3, 16, 16), dtype=np.float32))


def test_an_engine_registered_at_run_time_serves_on_the_same_path(tiny_spec: ModelSpec, pictures: list[bytes]) -> None:
    class Means:
        name = "means"

        def run(self, batch: AnyArray) -> AnyArray:
            return batch.mean(axis=(2, 3)).astype(np.float32)  # type: ignore[no-any-return]  # numpy's stubs

        def cam(self, batch: AnyArray) -> AnyArray | None:
            return None

        def close(self) -> None:
            return None

    means = Predictor(tiny_spec, Means())
    expected = encode_all(tiny_spec, pictures[:3]).mean(axis=(2, 3)).argmax(axis=1)
    assert [one.label for one in means.predict(pictures[:3])] == [tiny_spec.labels[i] for i in expected]
