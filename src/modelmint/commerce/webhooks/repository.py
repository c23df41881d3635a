"""What webhooks needs stored; ``store`` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from modelmint.commerce.webhooks.types import Delivery, Endpoint, Parcel, Receipt


class Outbox(Protocol):
    """Endpoints, messages, deliveries.

    ``owner`` is "founder" or a customer's id; where it is given to a look-up, another owner's endpoint is unknown.
    """

    def add_endpoint(
        self, owner: str, url: str, kinds: Sequence[str] = (), *, private: bool = False
    ) -> tuple[Endpoint, str]:
        """The endpoint and its secret, shown once; ``private`` lets a customer's stand in a private network.

        Raises ``BadEndpoint``, ``PrivateAddress``, ``TooManyEndpoints``.
        """
        ...

    def endpoints(self, owner: str | None = None) -> list[Endpoint]:
        """In the order of their making, disabled ones too."""
        ...

    def disable(self, endpoint: str, owner: str | None = None) -> Endpoint:
        """Nothing is sent there any more; what waited is given up. Raises ``UnknownEndpoint``."""
        ...

    def rotate_secret(
        self, endpoint: str, owner: str | None = None, overlap: timedelta = timedelta(days=1)
    ) -> tuple[Endpoint, str]:
        """A new secret; for ``overlap`` both sign. Raises ``UnknownEndpoint``."""
        ...

    def dispatch(self) -> int:
        """Make a delivery of each new message for every endpoint that hears it; how many messages were new."""
        ...

    def due(self, busy: Sequence[str] = (), per_endpoint: int = 50) -> list[Parcel]:
        """What is to be sent now, oldest first, of endpoints other than ``busy`` ones."""
        ...

    def record(self, receipts: Sequence[Receipt]) -> None:
        """What came of sending: done, to be tried again, or given up. 410 disables the endpoint."""
        ...

    def deliveries(
        self, owner: str | None = None, *, message: str | None = None, state: str | None = None, limit: int = 100
    ) -> list[Delivery]:
        """Newest first. A customer's say nothing of what our resolver knows: see ``types.NO_PLACE``."""
        ...

    def replay(self, message: str, owner: str | None = None) -> int:
        """Send a message again, under its id, to every endpoint that hears it; how many.

        Raises ``UnknownMessage``, for one that is not kept any more ``MessagePurged``.
        """
        ...

    def replay_since(self, since: datetime, owner: str | None = None) -> int:
        """The same for every message from ``since`` on that is kept."""
        ...

    def purge(self, delivered: timedelta, failed: timedelta) -> int:
        """Forget some of what was delivered, or given up, longer ago than that; how many rows, 0 when all is gone.

        A message goes with the last of its deliveries, one that nobody heard after ``delivered``; what waits stays.
        """
        ...

    def test(self, endpoint: str, owner: str | None = None) -> str:
        """Tell this endpoint alone that it is told: a message of kind ``webhook.test``, whose id is returned."""
        ...
