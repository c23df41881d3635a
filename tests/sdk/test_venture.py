"""A venture in the hands of a Python program."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import modelmint
from modelmint.data.errors import NotAPicture
from modelmint.kit.progress import Silent
from modelmint.releases.errors import ReleaseNotFound, UnknownModel
from modelmint.releases.shelf import Shelf
from modelmint.sdk.answers import LocalPrediction, LocalPredictions
from modelmint.sdk.errors import BadWaiver, NothingBuilt, NotPredictable, NoVentureHere, ShopDidNotOpen
from modelmint.sdk.shown import Plot, html_table
from modelmint.sdk.types import Column, TableView
from modelmint.sdk.venture import Venture
from modelmint.testing.dossiers import told_release
from modelmint.testing.pictures import picture
from modelmint.testing.releases import brightness_release
from modelmint.testing.shops import furnish
from modelmint.venture.errors import InvalidVenture

BRIGHT, DARK = 240, 10


@pytest.fixture
def venture(tmp_path: Path) -> Venture:
    brightness_release(tmp_path / ".modelmint" / "releases")
    return modelmint.open(tmp_path, progress=Silent())


def grey(level: int, *shape: int) -> np.ndarray:
    return np.full(shape or (16, 16), level, np.uint8)


def labels(answers: object) -> list[str | None]:
    assert isinstance(answers, LocalPredictions)
    return [answer.label for answer in answers]


def test_a_folder_without_a_venture_is_refused_and_nothing_is_made_there(tmp_path: Path) -> None:
    with pytest.raises(NoVentureHere, match=r"expected a venture\.toml"):
        modelmint.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_and_its_venture_file_open_the_same_venture(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_text("[venture]\nname = 5\n")
    assert modelmint.open(tmp_path).root == modelmint.open(str(tmp_path / "venture.toml")).root == tmp_path
    with pytest.raises(InvalidVenture):
        _ = modelmint.open(tmp_path).file


def test_one_input_gives_one_answer_however_it_is_held(venture: Venture, tmp_path: Path) -> None:
    file = tmp_path / "bright.png"
    file.write_bytes(picture(BRIGHT))
    pixels = grey(BRIGHT)
    colour = np.stack([pixels] * 3, axis=2)
    image = Image.fromarray(pixels)
    held = [str(file), file, picture(BRIGHT), bytearray(picture(BRIGHT)), pixels, pixels[:, :, None], colour]
    held += [image, image.convert("RGBA"), image.convert("CMYK"), image.convert("F"), pixels[::-1, ::2]]
    for one in held:
        answer = venture.predict(one)
        assert isinstance(answer, LocalPrediction)
        assert answer.label == "bright", one
        assert answer.probabilities is not None
        assert answer.probability == max(answer.probabilities.values())


def test_pixels_give_the_very_answer_of_their_png(venture: Venture) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (16, 16), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    one, other = venture.predict(pixels), venture.predict(buffer.getvalue())
    assert isinstance(one, LocalPrediction)
    assert isinstance(other, LocalPrediction)
    assert one.probabilities == other.probabilities


def test_a_folder_a_list_and_a_batch_give_answers_in_their_order(venture: Venture, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name, level in {"a.png": DARK, "b.png": BRIGHT, "c.png": DARK}.items():
        (folder / name).write_bytes(picture(level))
    assert labels(venture.predict(folder)) == ["dark", "bright", "dark"]
    assert labels(venture.predict([grey(BRIGHT), picture(DARK), folder / "b.png"])) == ["bright", "dark", "bright"]
    batch = np.stack([grey(DARK, 16, 16, 1), grey(BRIGHT, 16, 16, 1)])
    assert labels(venture.predict(batch)) == ["dark", "bright"]
    assert labels(venture.predict(list(batch[..., 0]))) == ["dark", "bright"]
    with pytest.raises(NotPredictable, match=r"list\(pixels\)"):  # three axes are one picture
        venture.predict(batch[..., 0])


def test_what_is_wrong_with_one_of_many_stands_in_its_row_and_with_a_lone_one_it_is_raised(venture: Venture) -> None:
    answers = venture.predict([grey(BRIGHT), b"no picture", "gone.png", grey(DARK).astype(float), 7, grey(0, 0, 4)])
    assert isinstance(answers, LocalPredictions)
    codes = [answer.error and answer.error.code for answer in answers]
    assert codes == [None, "not_a_picture", "unreadable_file", "not_predictable", "not_predictable", "not_predictable"]
    assert [answer.name for answer in answers] == ["#0", "#1", "gone.png", "#3", "#4", "#5"]
    with pytest.raises(NotAPicture):
        venture.predict(b"no picture")
    with pytest.raises(NotPredictable, match="uint8"):
        venture.predict(grey(DARK).astype(float))
    with pytest.raises(NotPredictable, match="found int"):
        venture.predict(7)  # type: ignore[arg-type]


def test_an_explained_answer_tells_the_regions_and_draws_them_in_a_notebook(venture: Venture) -> None:
    answer = venture.predict(picture(BRIGHT), explain=True)
    assert isinstance(answer, LocalPrediction)
    assert answer.explanation is not None
    assert answer.explanation.label == "bright"
    assert answer._repr_html_().count("data:image/png;base64,") == 1
    assert answer.to_json()["explanation"]["grid"] == list(answer.explanation.grid)
    plain = venture.predict(picture(BRIGHT))
    assert isinstance(plain, LocalPrediction)
    assert plain.explanation is None


def test_releases_are_found_by_place_by_beginning_and_the_newest_by_name(venture: Venture) -> None:
    other = brightness_release(venture.workspace / "releases", sharpness=9.0)
    releases = venture.releases
    assert len(releases) == 2
    assert releases[other.id[:10]].id == other.id
    assert {one.id for one in releases} == {releases[0].id, releases[1].id}
    assert releases.latest.id == releases[0].id
    with pytest.raises(ReleaseNotFound):
        _ = releases["ffff"]
    with pytest.raises(IndexError):
        _ = releases[2]
    with pytest.raises(UnknownModel):
        releases.latest.metrics("lungs")
    assert venture.predict(picture(BRIGHT), release=other.id[:10]).label == "bright"  # type: ignore[union-attr]


def test_a_statement_is_its_workspaces_own_there_and_foreign_anywhere_else(tmp_path: Path) -> None:
    release = told_release(tmp_path / "here" / ".modelmint")
    (tmp_path / "there" / ".modelmint").mkdir(parents=True)

    def signers(root: Path) -> set[str]:
        facts = modelmint.open(root, progress=Silent()).release(release.path).facts
        return {statement["signed_by"] for statement in facts["statements"]}

    here = modelmint.open(tmp_path / "here", progress=Silent())
    assert signers(here.root) == {"own"} == {told["signed_by"] for told in here.releases[0].facts["statements"]}
    assert here.releases[release.id[:8]].facts == here.releases[0].facts
    assert signers(tmp_path / "there") == {"foreign"}


def test_where_nothing_was_built_that_is_said(tmp_path: Path) -> None:
    (tmp_path / ".modelmint").mkdir()
    empty = modelmint.open(tmp_path)
    assert len(empty.releases) == 0
    for ask in (lambda: empty.releases.latest, lambda: empty.candidates, lambda: empty.predict(b"x")):
        with pytest.raises(NothingBuilt, match="modelmint build"):
            ask()


def test_everything_shows_itself_as_text_as_html_and_to_rich(venture: Venture) -> None:
    release = venture.releases.latest
    for shown in (venture.releases, release, release.candidates(), venture.predict([picture(BRIGHT)])):
        assert shown.__repr__().strip()
        assert shown._repr_html_().startswith("<div>")
        Console(file=io.StringIO()).print(shown)
    assert release.id in repr(release)
    assert f"{venture.root}: 1 release" in repr(venture)


def test_the_report_and_the_card_of_a_release_come_in_both_languages(venture: Venture) -> None:
    release = venture.releases.latest
    for language in ("en", "zh"):
        page = venture.report(language=language).decode()
        assert release.id[:12] in page and f'lang="{language}' in page
        assert venture.card(release.id[:10], language=language).count("\n# ") == 1
    assert venture.card(language="en") != venture.card(language="zh")


def test_nothing_that_is_shown_becomes_markup(tmp_path: Path) -> None:
    view = TableView("<b>", (Column("<i>"),), (("<script>alert(1)</script>",),), {}, "a & b\n<u>")
    html = html_table(view)
    assert "<script>" not in html
    assert html.count("&lt;") >= 4
    drawn = Plot('"><script>', "<svg><script>alert(1)</script></svg>")._repr_html_()
    assert "script>" not in drawn
    assert drawn.startswith('<img alt="&quot;&gt;&lt;script&gt;" width="380" src="data:image/svg+xml;base64,')


def test_importing_modelmint_is_cheap_and_predicting_loads_no_torch(venture: Venture, tmp_path: Path) -> None:
    file = tmp_path / "bright.png"
    file.write_bytes(picture(BRIGHT))
    code = (
        "import sys; before = set(sys.modules); import modelmint; new = set(sys.modules) - before\n"
        "ours = {m for m in new if m.startswith('modelmint')}\n"
        "assert ours == {'modelmint', 'modelmint.kit', 'modelmint.kit.version'}, ours\n"
        "heavy = {'numpy', 'PIL', 'pydantic', 'rich', 'typer', 'starlette', 'sqlalchemy', 'onnxruntime', 'torch'}\n"
        "assert not heavy & new, heavy & new\n"
        f"found = modelmint.open({str(venture.root)!r}).predict({str(file)!r}, explain=True)\n"
        "assert found.label == 'bright'\n"
        "bad = {'torch', 'transformers', 'onnx', 'sklearn', 'scipy', 'starlette', 'sqlalchemy', 'typer'}\n"
        "assert not bad & set(sys.modules), bad & set(sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]


def test_a_waiver_that_says_nothing_stops_a_build_before_it_begins(tmp_path: Path) -> None:
    furnish(tmp_path)
    with pytest.raises(BadWaiver, match="cannot be waived"):
        modelmint.open(tmp_path).build(waive={"no_such_gate": "because"})
    assert not (tmp_path / ".modelmint" / "steps").exists()


def test_the_shop_is_open_while_the_block_runs_and_says_why_where_it_cannot(tmp_path: Path) -> None:
    furnish(tmp_path)
    venture = modelmint.open(tmp_path)
    with venture.serve(workers=1) as shop:
        assert shop.console == f"{shop.url}/console"
        with urllib.request.urlopen(f"{shop.url}/healthz/ready", timeout=60) as answer:
            assert answer.status == 200
            assert json.loads(answer.read())
        with pytest.raises(ShopDidNotOpen) as refused, venture.serve():
            pass
        assert refused.value.details["code"] == "already_served"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{shop.url}/healthz/ready", timeout=60)
    assert Shelf(venture.workspace / "releases").ids()
