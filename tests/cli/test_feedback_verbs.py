"""Feedback, stored inputs, consent and leads, typed at the shell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmint.api.service import Service
from modelmint.bootstrap import open_shop
from modelmint.monitoring.feedback.types import Said
from modelmint.operations.feedback import give
from modelmint.operations.predict import PredictRequest
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish
from modelmint.testing.ventures import venture_text

STORES = "\n[privacy]\nstore_inputs = true\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """Three calls of a customer who agreed, two truths, one lead."""
    root = tmp_path_factory.mktemp("shop") / "brightness"
    made = furnish(root, venture=venture_text() + STORES)
    with open_shop(root) as opened:
        opened.books.people.set_consent(made.customer, True)
        service = Service(opened)
        digest = hashlib.sha256(made.secret.encode()).hexdigest()
        ids = []
        for level in (250, 5, 240):
            reply = service.predict(PredictRequest("brightness", (picture(level),), digest)).result(120)
            ids.append(json.loads(reply.body)["id"])
        for name, truth, comment in ((ids[0], "bright", "=HYPERLINK(1)"), (ids[1], "bright", "")):
            give(opened.books, opened.feedback, opened.shelf, made.customer, name, Said(truth, None, comment))
        opened.books.visitors.leave("ada@example.org", "hi", prediction=None, language="en", consent="yes")
        service.close()
    return made


@pytest.fixture
def typed(modelmint: Callable[..., Any], shop: Furnished) -> Callable[..., Any]:
    def run(*words: str, **more: Any) -> Any:
        return modelmint("-C", str(shop.root), *words, **more)

    return run


def test_feedback_is_listed_and_summed_up_with_interval_and_n(typed: Callable[..., Any]) -> None:
    rows = typed("feedback", "list", "--json").json["feedback"]
    assert [(row["answer"], row["truth"]) for row in rows] == [("dark", "bright"), ("bright", "bright")]
    found = typed("feedback", "summary", "--json").json["summary"]
    assert (found["agreement"]["value"], found["agreement"]["n"]) == (0.5, 2)
    told = typed("feedback", "summary", "--plain").out
    assert "0.500 [0.095, 0.905]" in told and "no random sample" in told  # Wilson for 1 of 2


def test_feedback_and_inputs_are_exported_and_that_is_noted(typed: Callable[..., Any], tmp_path: Path) -> None:
    done = typed(
        "feedback", "export", "--out", str(tmp_path / "f.csv"), "--with-inputs", str(tmp_path / "in"), "--json"
    ).json
    assert (done["rows"], done["inputs"]) == (2, {"_unlabelled": 1, "bright": 2})
    lines = (tmp_path / "f.csv").read_text().splitlines()
    assert len(lines) == 3 and "'=HYPERLINK(1)" in lines[1]
    assert sorted(path.parent.name for path in (tmp_path / "in").rglob("*.png")) == ["_unlabelled", "bright", "bright"]
    assert typed("audit", "list", "--json").json["entries"][0]["action"] == "inputs.exported"
    assert typed("feedback", "export", "--with-inputs", str(tmp_path / "in"), "--json").code == 4
    assert typed("feedback", "export", "--json").code == 2


def test_what_is_stored_is_told_and_goes_with_the_consent(typed: Callable[..., Any], shop: Furnished) -> None:
    assert typed("feedback", "inputs", "--json").json["inputs"] == 3
    before = typed("feedback", "inputs", "--json").json["keys"]
    key = typed("feedback", "rotate-key", "--json").json["key"]
    assert typed("feedback", "inputs", "--json").json["keys"] == [*before, key]
    done = typed("customers", "consent", shop.customer, "--no-inputs", "--json").json
    assert done["deleted"] == 3
    assert typed("feedback", "inputs", "--json").json["inputs"] == 0


def test_leads_are_listed_exported_and_erased(typed: Callable[..., Any], tmp_path: Path) -> None:
    assert typed("leads", "list", "--json").json["leads"][0]["email"] == "ada@example.org"
    assert typed("leads", "export", "--out", str(tmp_path / "leads.csv"), "--json").json["leads"] == 1
    assert typed("leads", "erase", "ada@example.org", "--json").code == 2
    assert typed("leads", "erase", "ada@example.org", "--yes", "--json").json == {"erased": 1}
    assert typed("leads", "erase", "ada@example.org", "--yes", "--json").code == 3
