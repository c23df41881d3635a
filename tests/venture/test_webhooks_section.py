"""``[webhooks]``: how long messages are kept."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from modelmint.venture.sections.webhooks import WebhooksSection


def test_messages_are_kept_for_thirty_days_and_given_up_ones_for_ninety() -> None:
    assert (WebhooksSection().keep_days, WebhooksSection().keep_failed_days) == (30, 90)


@pytest.mark.parametrize("table", [{"keep_days": 0}, {"keep_days": 91}, {"keep_failed_days": 29}])
def test_what_was_given_up_is_kept_at_least_as_long_as_what_was_delivered(table: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        WebhooksSection.model_validate(table)
