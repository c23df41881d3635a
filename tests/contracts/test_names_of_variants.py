"""Names that a venture file may use are the names of variants that exist."""

from __future__ import annotations

import pytest

from modelmint.venture.names import BUILT_IN


def test_the_venture_file_knows_the_catalogue_of_backbones() -> None:
    pytest.importorskip("torch", reason="the catalogue lives in the workshop")
    from modelmint.workshop.models.registry import BACKBONES

    assert sorted(BUILT_IN["backbone"]) == BACKBONES.names()
