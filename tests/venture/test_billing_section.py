"""``[billing] report_usage``: which meters the payment provider is told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelmint.venture.errors import InvalidVenture
from modelmint.venture.load import load_venture

MINIMAL = '[venture]\nname = "shop"\n[data]\nsource = "pictures"\n[billing]\n'


def test_nothing_is_told_unless_meters_are_named(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_text(MINIMAL + 'provider = "stripe"\n')
    assert load_venture(tmp_path).file.billing.report_usage == []
    (tmp_path / "venture.toml").write_text(MINIMAL + 'provider = "stripe"\nreport_usage = ["calls", "my.scans"]\n')
    assert load_venture(tmp_path).file.billing.report_usage == ["calls", "my.scans"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('report_usage = ["calls"]', "name a provider that takes usage"),
        ('provider = "fake"\nreport_usage = ["calls"]', "name a provider that takes usage"),
        ('provider = "stripe"\nreport_usage = ["Calls!"]', "a meter's name has small letters"),
        ('provider = "stripe"\nreport_usage = ["calls", "calls"]', "is named before"),
        ('provider = "stripe"\nreport_usage = ["compute_sm"]', "looks like 'compute_ms'"),
    ],
)
def test_meters_that_can_never_be_told_of_are_refused_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "venture.toml").write_text(MINIMAL + text + "\n")
    with pytest.raises(InvalidVenture) as caught:
        load_venture(tmp_path)
    (problem,) = caught.value.found
    assert message in problem.message
    assert problem.line == 6 + text.count("\n")
