from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from modelmint.data.errors import NotAPicture, TooManyPixels, TruncatedPicture
from modelmint.kit.arrays import AnyArray
from modelmint.tasks.errors import BadSettings, EmptyInput
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import Counted, ImageSettings

TASK = TASKS.get("image-classification")


def saved(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def noise(*shape: int, seed: int = 0) -> AnyArray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png(pixels: AnyArray) -> bytes:
    return saved(Image.fromarray(pixels))


def test_default_settings_are_plain_json_that_image_settings_understands() -> None:
    found = TASK.default_settings(image_size=28, channels=1)
    assert json.loads(json.dumps(found)) == found
    assert found == {
        "image_size": 28, "channels": 1, "mean": [0.5], "std": [0.5], "resample": "bilinear", "max_pixels": 50_000_000,
    }  # fmt: skip
    assert ImageSettings(**found).image_size == 28


def test_settings_report_every_problem_at_once_with_the_nearest_name() -> None:
    with pytest.raises(BadSettings) as caught:
        TASK.default_settings(image_sise=28, chanels=1)
    assert "did you mean 'image_size'" in str(caught.value)
    assert "did you mean 'channels'" in str(caught.value)
    with pytest.raises(BadSettings) as caught:
        TASK.default_settings(image_size=0, std=[0.5, 0, 0.5], mean=[0.1], resample="magic")
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("value", [{"mean": [[0.5]]}, {"mean": {"r": 1}}, {"channels": 2}, {"image_size": True}])
def test_settings_of_the_wrong_type_are_refused_not_crashed_on(value: dict[str, object]) -> None:
    with pytest.raises(BadSettings):
        TASK.default_settings(**value)


def test_pixels_become_x_over_255_minus_mean_over_std_channels_first() -> None:
    pixels = noise(5, 5, 3)
    settings = TASK.default_settings(image_size=5, mean=[0.1, 0.2, 0.3], std=[0.4, 0.5, 0.6])
    found = TASK.encode([png(pixels)], settings)
    wanted = (pixels.transpose(2, 0, 1) / 255 - np.array([0.1, 0.2, 0.3])[:, None, None]) / np.array([0.4, 0.5, 0.6])[
        :, None, None
    ]
    assert found.shape == (1, 3, 5, 5)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found[0], wanted, atol=1e-6)


@pytest.mark.parametrize(("std", "wanted"), [(1.0, np.arange(256) / 255), (1 / 255, np.arange(256))])
def test_every_level_between_0_and_1_or_as_it_is_comes_out_to_the_last_bit(std: float, wanted: np.ndarray) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found = TASK.encode([png(levels)], TASK.default_settings(image_size=16, channels=1, mean=[0.0], std=[std]))
    assert np.array_equal(found.ravel(), wanted.astype(np.float32))


def test_a_grey_picture_fills_every_channel_with_the_same_pixels() -> None:
    found = TASK.encode([png(noise(9, 7))], TASK.default_settings(image_size=12))
    assert np.array_equal(found[0, 0], found[0, 1])
    assert np.array_equal(found[0, 0], found[0, 2])


def test_a_grey_picture_is_the_same_whether_saved_as_grey_or_as_colour() -> None:
    grey = noise(20, 30)
    colour = np.stack([grey] * 3, axis=-1)
    settings = TASK.default_settings(image_size=16)
    assert np.array_equal(TASK.encode([png(grey)], settings), TASK.encode([png(colour)], settings))


def test_a_colour_picture_for_a_grey_model_is_its_luma() -> None:
    colour = noise(6, 6, 3)
    found = TASK.encode([png(colour)], TASK.default_settings(image_size=6, channels=1, mean=[0.0], std=[1.0]))
    luma = colour @ np.array([0.299, 0.587, 0.114]) / 255
    np.testing.assert_allclose(found[0, 0], luma, atol=1.01 / 255)


def test_what_is_transparent_is_shown_over_white() -> None:
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    found = TASK.encode([saved(clear)], TASK.default_settings(image_size=4, mean=[0.0] * 3, std=[1.0] * 3))
    assert found.min() == pytest.approx(1.0)


def test_any_shape_is_squeezed_to_the_square_and_keeps_its_mean() -> None:
    wide = Image.linear_gradient("L").resize((400, 50))
    found = TASK.encode([saved(wide)], TASK.default_settings(image_size=32, mean=[0.0] * 3, std=[1.0] * 3))
    assert found.shape == (1, 3, 32, 32)
    assert found.mean() == pytest.approx(np.asarray(wide).mean() / 255, abs=0.01)


def test_the_pixels_of_a_call_are_counted_as_they_were_sent_however_the_decoder_shrinks_them() -> None:
    photograph = saved(Image.linear_gradient("L").resize((800, 600)), "JPEG")  # decoded at a fraction of its size
    counted = Counted()
    TASK.encode([photograph, png(noise(7, 9))], TASK.default_settings(image_size=16), counted)
    assert counted == Counted(pixels=800 * 600 + 7 * 9)


def test_encoding_alone_in_a_batch_and_in_threads_gives_the_same_bytes() -> None:
    payloads = [png(noise(20 + i, 30, 3, seed=i)) for i in range(12)]
    settings = TASK.default_settings(image_size=24)
    together = TASK.encode(payloads, settings)
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda payload: TASK.encode([payload], settings)[0], payloads * 4))
    assert all(np.array_equal(one, together[index % 12]) for index, one in enumerate(alone))


def test_no_payloads_make_an_empty_batch_of_the_right_shape() -> None:
    assert TASK.encode([], TASK.default_settings(image_size=10, channels=1)).shape == (0, 1, 10, 10)


GOOD = png(noise(8, 8))


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"", EmptyInput),
        (b"hello, this is text", NotAPicture),
        (png(noise(64, 64, 3))[:-3000], TruncatedPicture),
        (png(noise(101, 100)), TooManyPixels),
    ],
    ids=["empty", "text", "truncated", "large"],
)
def test_a_refusal_keeps_its_class_and_names_the_input(payload: bytes, error: type[Exception]) -> None:
    settings = TASK.default_settings(image_size=8, max_pixels=10_000)
    with pytest.raises(error) as caught:
        TASK.encode([GOOD, GOOD, payload, GOOD], settings)
    assert str(caught.value).startswith("input 3 of 4: ")
    assert caught.value.details["input"] == 2  # type: ignore[attr-defined]  # every leaf has details
    with pytest.raises(error) as caught:
        TASK.encode([payload], settings)
    assert not str(caught.value).startswith("input")


def test_a_large_photograph_as_jpeg_is_nearly_what_it_is_as_png() -> None:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    photograph = coarse.resize((1600, 1200), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    photograph.save(buffer, "JPEG", quality=95)
    settings = TASK.default_settings(image_size=96, mean=[0.0] * 3, std=[1 / 255] * 3)
    shrunk, full = TASK.encode([buffer.getvalue(), saved(photograph)], settings)
    assert np.abs(shrunk - full).mean() < 1.0
