"""Wires a venture's folder into a shop: books, shelf, plans. Knows no app and no workshop."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from modelmint.commerce.catalog import effective_dates, plans_from
from modelmint.commerce.documents.types import Party
from modelmint.commerce.payments.errors import NoProvider
from modelmint.commerce.payments.provider import PaymentProvider, Settings
from modelmint.commerce.payments.registry import PROVIDERS
from modelmint.commerce.repository import Books
from modelmint.commerce.types import Deployment
from modelmint.kit.clock import Clock, SystemClock
from modelmint.kit.errors import Corrupted, ModelmintError
from modelmint.monitoring.feedback.repository import FeedbackBooks
from modelmint.monitoring.inputs.folder import InputFolder
from modelmint.monitoring.inputs.types import KeepRules
from modelmint.operations.printing import Printer
from modelmint.releases.shelf import Shelf
from modelmint.serving.types import HostLimits
from modelmint.store.open import deployments_at, open_books
from modelmint.venture.errors import VentureNotFound
from modelmint.venture.load import LoadedVenture, load_venture
from modelmint.venture.sections.billing import BillingSection
from modelmint.venture.sections.privacy import PrivacySection
from modelmint.venture.sections.trial_page import TrialPageSection
from modelmint.venture.sections.webhooks import WebhooksSection

_log = logging.getLogger(__name__)
WORKSPACE = ".modelmint"
DATABASE_VARIABLE = "MODELMINT_DATABASE_URL"
BUNDLED_VENTURE = "venture.toml"


@dataclass(frozen=True)
class Shop:
    """Everything a run-time verb needs. Holds open connections: close it, or use it as a context manager."""

    root: Path
    books: Books
    feedback: FeedbackBooks
    shelf: Shelf
    #: From the folder, else from the newest release in it; None in an empty workspace.
    venture: LoadedVenture | None
    clock: Clock

    @property
    def workspace(self) -> Path:
        """``.modelmint/`` below the root."""
        return self.root / WORKSPACE

    @property
    def notice(self) -> str:
        """The venture's notice of use, shown in every answer, page and invoice."""
        return self.venture.file.venture.use if self.venture else ""

    @property
    def name(self) -> str:
        """The venture's name, else the folder's."""
        return self.venture.file.venture.name if self.venture else self.root.name

    @property
    def seller(self) -> Party:
        """Who stands on invoices as the one that sells; the venture's name where nothing else is said."""
        if self.venture is None:
            return Party(self.name)
        billing = self.venture.file.billing
        return Party(billing.seller or self.name, billing.seller_address, billing.seller_tax_id)

    @property
    def max_body(self) -> int:
        """Largest request body, bytes."""
        return int((self.venture.file.serving.max_body_mib if self.venture else 10.0) * 2**20)

    @property
    def private_webhooks(self) -> bool:
        """Whether customers' webhooks may stand in a private network."""
        return self.venture is not None and self.venture.file.webhooks.private_addresses

    @property
    def messages_kept(self) -> tuple[timedelta, timedelta]:
        """For how long messages are kept after they were delivered, and after they were given up."""
        said = WebhooksSection() if self.venture is None else self.venture.file.webhooks
        return timedelta(days=said.keep_days), timedelta(days=said.keep_failed_days)

    @cached_property
    def inputs(self) -> InputFolder:
        """What customers sent and agreed to have kept."""
        return InputFolder(self.workspace)

    @property
    def privacy(self) -> PrivacySection:
        """``[privacy]`` of the venture."""
        return PrivacySection() if self.venture is None else self.venture.file.privacy

    @property
    def keep_rules(self) -> KeepRules | None:
        """How inputs are kept; None where the venture does not keep any."""
        said = self.privacy
        return KeepRules(said.keep_days, said.share, int(said.max_mib * 2**20)) if said.store_inputs else None

    @property
    def trial_page(self) -> TrialPageSection:
        """``[trial_page]`` of the venture."""
        return TrialPageSection() if self.venture is None else self.venture.file.trial_page

    @property
    def billing(self) -> BillingSection | None:
        """``[billing]`` of the venture."""
        return self.venture.file.billing if self.venture else None

    @property
    def takes_payments(self) -> bool:
        """Whether the venture names a payment provider."""
        return self.venture is not None and bool(self.venture.file.billing.provider)

    @cached_property
    def provider(self) -> PaymentProvider:
        """Who takes the money. Raises ``NoProvider``, ``UnknownVariant``, ``MissingSecret``, ``MissingExtra``."""
        if self.venture is None or not self.takes_payments:
            raise NoProvider(
                'no payments are taken here; name who takes them in venture.toml: [billing] provider = "stripe"'
            )
        name = self.venture.file.billing.provider
        return PROVIDERS.get(name)(Settings(os.environ, self.workspace / "payments" / name))

    @cached_property
    def printer(self) -> Printer:
        """What prints this process's documents, one at a time."""
        return Printer()

    def limits(self, processes: int = 1) -> HostLimits:
        """Bounds of one of ``processes`` serving processes; they share the venture's queue equally."""
        if self.venture is None:
            return HostLimits()
        serving = self.venture.file.serving
        return HostLimits(serving.max_batch, max(1, serving.max_queue // processes), serving.max_items)

    def close(self) -> None:
        """Close the books."""
        self.books.close()

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_shop(root: Path, *, clock: Clock | None = None, database_url: str | None = None) -> Shop:
    """Open the shop in ``root`` and bring its books up to date: migrations, and the plans of the venture file.

    ``database_url``, else ``MODELMINT_DATABASE_URL``, else SQLite in the workspace. A folder without a
    ``venture.toml`` uses the one bundled in its newest release, so that a release copied elsewhere is sold
    there under the same plans, limits and notice; a broken release is passed over with a warning. Raises
    ``InvalidVenture`` for a broken file.
    """
    root = root.resolve()
    workspace = root / WORKSPACE
    workspace.mkdir(mode=0o700, parents=True, exist_ok=True)  # what customers sent and owe is for its owner only
    clock = clock or SystemClock()
    shelf = Shelf(workspace / "releases")
    venture, broken = find_venture(root, shelf)
    for error in broken:
        _log.warning("%s", error)
    name = venture.file.venture.name if venture else root.name
    books = open_books(database_url or books_url(root), clock, name)
    try:
        # What cannot be read may be newer and on other terms: the plans stay as the books have them.
        if venture is not None and not broken:
            books.put_plans(plans_from(venture.file.plans), effective_dates(venture.file.plans))
    except BaseException:
        books.close()
        raise
    return Shop(root, books, books.feedback, shelf, venture, clock)


def books_url(root: Path) -> str:
    """Where the books of the venture in ``root`` lie: ``MODELMINT_DATABASE_URL``, else SQLite in the workspace."""
    return os.environ.get(DATABASE_VARIABLE) or f"sqlite:///{root.resolve() / WORKSPACE / 'books.sqlite'}"


def served_in(root: Path) -> list[Deployment]:
    """What the books of the venture in ``root`` say is served; they are left as they are.

    Nothing where there are none, nor where they cannot be read: that is for those to say who need them.
    """
    if not os.environ.get(DATABASE_VARIABLE) and not (root / WORKSPACE / "books.sqlite").is_file():
        return []
    with suppress(ModelmintError):
        return deployments_at(books_url(root))
    return []


def find_venture(root: Path, shelf: Shelf) -> tuple[LoadedVenture | None, Sequence[Corrupted]]:
    """The folder's venture, else the one bundled in the newest sound release, else None.

    With it what is wrong with the releases that were passed over: a broken one stops only what needs it.
    """
    try:
        return load_venture(root), ()
    except VentureNotFound:
        pass
    releases, found = shelf.survey()
    broken = list(found)
    for release in releases:
        if BUNDLED_VENTURE in release.manifest.files:
            try:
                return load_venture(release.file(BUNDLED_VENTURE)), broken
            except Corrupted as error:
                broken.append(error)
    return None, broken
