"""Predicting on local files, and the load test that prices candidates."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from modelmint.api.candidate import measure_release
from modelmint.operations.errors import LoadTestFailed, NoSuchFile
from modelmint.operations.load_test import load_test
from modelmint.operations.local_predict import LocalAnswer, LocalModel, files_below
from modelmint.releases.bundle import Release
from modelmint.testing.pictures import picture
from modelmint.testing.releases import brightness_release


def answered(release: Release, files: Sequence[Path]) -> list[LocalAnswer]:
    with LocalModel(release) as opened:
        return list(opened.answers((str(file), file) for file in files))


def test_files_of_a_folder_come_in_name_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.png", "a.png", ".hidden.png", "b/.cache/x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert files_below(tmp_path) == [tmp_path / "a.png", tmp_path / "b" / "2.png"]
    assert files_below(tmp_path / "a.png") == [tmp_path / "a.png"]
    with pytest.raises(NoSuchFile):
        files_below(tmp_path / "none")


def test_a_bad_file_is_a_row_and_the_others_are_answered(tmp_path: Path) -> None:
    release = brightness_release(tmp_path / "shelf")
    files = []
    for number in range(70):
        files.append(tmp_path / f"{number:02}.png")
        files[-1].write_bytes(b"no picture" if number == 40 else picture(250 if number % 2 else 5))
    answers = answered(release, files)
    assert [answer.name for answer in answers] == [str(file) for file in files]
    assert answers[40].prediction is None
    assert answers[40].error is not None
    assert answers[40].error.code == "not_a_picture"
    found = [answer.prediction.label for answer in answers if answer.prediction]
    assert found == ["bright" if number % 2 else "dark" for number in range(70) if number != 40]


def test_a_file_that_cannot_be_read_is_a_row_and_the_others_are_answered(tmp_path: Path) -> None:
    release = brightness_release(tmp_path / "shelf")
    files = [tmp_path / name for name in ("a.png", "gone.png", "folder", "z.png")]
    files[0].write_bytes(picture(250))
    files[2].mkdir()
    files[3].write_bytes(picture(5))
    answers = answered(release, files)
    assert [answer.name for answer in answers] == [str(file) for file in files]
    assert [answer.prediction and answer.prediction.label for answer in answers] == ["bright", None, None, "dark"]
    errors = [answer.error for answer in answers if answer.error]
    assert [(error.code, error.message) for error in errors] == [
        ("unreadable_file", f"{files[1]} cannot be read: No such file or directory"),
        ("unreadable_file", f"{files[2]} cannot be read: Is a directory"),
    ]
    assert [answer.error is None for answer in answered(release, files[1:2])] == [False]


def test_a_candidate_is_measured_through_the_real_server_and_leaves_nothing_behind(tmp_path: Path) -> None:
    release = brightness_release(tmp_path / "shelf")
    result = measure_release(
        release.path, "onnxruntime", 1, [picture(9), picture(250)], 60_000.0, seconds=0.4, levels=(1, 4), workers=2
    )
    assert [point.clients for point in result.points] == [1, 4][: len(result.points)]
    assert all(point.calls >= point.clients and point.errors == 0 for point in result.points)
    assert all(0 < point.p50_ms <= point.p99_ms for point in result.points)
    assert sum(point.server_cpu_ms for point in result.points) > 0
    # However fast the machine is: nobody computes for longer than all of its cores could (ticks are 10 ms).
    cores = os.cpu_count() or 1
    assert all(point.server_cpu_ms * point.calls_per_second < 1000 * (cores + 1) for point in result.points)
    assert result.best is not None
    assert result.best.calls_per_second == max(point.calls_per_second for point in result.points)
    assert (result.workers, result.engine, result.threads, result.p99_limit_ms) == (2, "onnxruntime", 1, 60_000.0)
    calls = sum(point.calls for point in result.points)
    assert 0 < result.client_cpu_ms * calls <= 1000 * result.seconds
    assert [item.name for item in (tmp_path / "shelf").iterdir()] == [release.id]


def test_no_level_within_the_limit_means_no_best(tmp_path: Path) -> None:
    release = brightness_release(tmp_path / "shelf")
    result = measure_release(release.path, "onnxruntime", 1, [picture(9)], 0.001, seconds=0.2, levels=(1, 2), workers=1)
    assert result.best is None
    assert result.points


def test_a_server_that_is_not_there_is_a_failed_test() -> None:
    with pytest.raises(LoadTestFailed, match="cannot connect"):
        load_test("http://127.0.0.1:9", "mm_x", "brightness", [b"x"], [], None)
    with pytest.raises(LoadTestFailed, match="expected a URL"):
        load_test("ftp://x", "mm_x", "brightness", [b"x"], [], None)


def test_a_payload_that_the_server_refuses_is_a_failed_test(tmp_path: Path) -> None:
    release = brightness_release(tmp_path / "shelf")
    with pytest.raises(LoadTestFailed, match="not_a_picture"):
        measure_release(release.path, "onnxruntime", 1, [b"no picture"], None, seconds=0.2, workers=1)
