"""``[webhooks]``: where customers' webhooks may stand."""

from __future__ import annotations

from modelmint.venture.sections.base import Section


class WebhooksSection(Section):
    """What the server may be made to call."""

    #: Lets customers' webhooks stand in private networks and speak http; for shops inside one house.
    private_addresses: bool = False
