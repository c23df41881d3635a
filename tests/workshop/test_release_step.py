"""What a release says of its data's licence, and which code its measurements rest on."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelmint.data.version import DatasetVersion, licence_of
from modelmint.tasks.types import DecisionRule, ModelSpec
from modelmint.venture.sections.model import ModelSection
from modelmint.venture.sections.serving import ServingSection
from modelmint.workshop import digests

SPEC = ModelSpec("image-classification", {}, ("a", "b"), DecisionRule())


def dataset(**facts: str) -> DatasetVersion:
    return DatasetVersion(Path(), "d", ("a", "b"), None, {}, facts, 1, (8, 8))


@pytest.mark.parametrize(
    ("stated", "facts", "licence"),
    [
        ("not stated", {"licence": "CC BY 4.0"}, "CC BY 4.0"),
        ("not stated", {}, "not stated"),
        ("CC0", {"licence": "CC BY 4.0"}, "CC0"),
    ],
)
def test_the_licence_is_the_stated_one_or_else_the_one_known_of_the_source(
    stated: str, facts: dict[str, str], licence: str
) -> None:
    assert licence_of(stated, dataset(**facts)) == licence


def test_new_code_that_answers_calls_or_keeps_records_is_measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[str] = []

    def named(*more: str) -> str:
        parts.extend(more)
        return "code"

    monkeypatch.setattr(digests, "source_digest", named)
    digests.price([], SPEC, ServingSection(), None)
    assert {"bootstrap.py", "worker", "releases", "kit", "api", "serving"} <= set(parts)
    parts.clear()
    digests.judge([], SPEC, "d")
    assert "workshop/records.py" in parts
    parts.clear()
    digests.compress("r", "d", {}, ModelSection())
    assert "workshop/records.py" in parts
