"""What a page's function is handed, and what it may answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.bootstrap import Shop
from modelmint.commerce.repository import Books
from modelmint.console.errors import BadForm
from modelmint.console.sessions import FOUNDER, Session
from modelmint.console.words import Words
from modelmint.kit.money import Money, parse_money
from modelmint.kit.period import BadPeriod, parse_moment

_LONGEST_FIELD = 2000


@dataclass(frozen=True)
class Asked:
    """One understood request for a page."""

    shop: Shop
    session: Session
    words: Words
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    #: All values of fields that may come more than once.
    many: Mapping[str, tuple[str, ...]]
    #: ``https://shop.example``, as the reader's browser knows it.
    origin: str
    #: Who asks, for counting wrong sign-ins.
    address: str
    #: Files of the form, by field.
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def books(self) -> Books:
        """The shop's books."""
        return self.shop.books

    @property
    def founder(self) -> bool:
        """Whether the founder asks."""
        return self.session.who == FOUNDER

    @property
    def customer(self) -> str:
        """Id of the customer whom the page is about: a customer's own, or the one that the founder looks at."""
        return self.path["customer"] if self.founder else self.session.customer

    @property
    def home(self) -> str:
        """Where the pages of that customer lie."""
        return f"/console/customers/{self.customer}" if self.founder else "/console/my"

    def text(self, name: str, *, default: str | None = None, lines: bool = False) -> str:
        """A field of the form; raises ``BadForm`` where it is missing or no line of text."""
        value = self.form.get(name, "").strip() or default
        if value is None or len(value) > _LONGEST_FIELD:
            raise BadForm(f"expected something in {name!r} of at most {_LONGEST_FIELD} characters")
        if any(unicodedata.category(sign) == "Cc" and not (lines and sign in "\r\n") for sign in value):
            raise BadForm(f"expected {name!r} without control characters")
        return value

    def date(self, name: str) -> datetime | None:
        """A day chosen in the form as its first moment in UTC, None where it was left out."""
        value = self.form.get(name, "").strip()
        try:
            return parse_moment(value) if value else None
        except BadPeriod:
            raise BadForm(f"expected {name!r} as a day like 2027-01-31, found {value[:40]!r}") from None

    def place(self, name: str) -> int:
        """A whole number of the query: where a page of a long list begins; 0 where it is left out."""
        value = self.query.get(name, "") or "0"
        if not re.fullmatch(r"[0-9]{1,15}", value):
            raise BadForm(f"expected {name!r} as a whole number, found {value[:20]!r}")
        return int(value)

    def share(self, name: str) -> Decimal:
        """A share typed in percent: 0.15 for 15."""
        value = self.form.get(name, "").strip().removesuffix("%").strip()
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", value):
            raise BadForm(f"expected {name!r} in percent like 15 or 2.5, found {value[:40]!r}")
        return Decimal(value).scaleb(-2)

    def amount(self, name: str, currency: str) -> Money:
        """An amount typed with a decimal point; a comma is never taken for one."""
        value = self.form.get(name, "").strip()
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value):
            raise BadForm(f"expected {name!r} as an amount like 12.50, found {value[:40]!r}")
        return parse_money(f"{value} {currency}")

    def chosen(self, name: str, allowed: tuple[str, ...]) -> str:
        """A field that must be one of ``allowed``."""
        value = self.form.get(name, "")
        if value not in allowed:
            raise BadForm(f"expected {name!r} as one of {', '.join(allowed)}")
        return value


@dataclass(frozen=True)
class Page:
    """A template with its values. ``title`` and ``here`` (an entry of the navigation) are for the frame."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    #: Its script may ask this server for more.
    fetches: bool = False
    #: It shows pictures that lie nowhere but in the page itself.
    pictures: bool = False


@dataclass(frozen=True)
class Go:
    """On to another page of the console, which says ``said`` (a key of the words) once."""

    to: str
    said: str = ""
    #: Signs in or out: the session from here on.
    session: Session | None = None


@dataclass(frozen=True)
class Download:
    """A file, or a document of its own kind."""

    content: bytes | Future[bytes]
    media_type: str
    #: Offered under this name; None shows it in the browser.
    name: str | None = None
    #: Content security policy of a document shown in the browser.
    policy: str | None = None


Answer = Page | Go | Download
Handler = Callable[[Asked], Answer]
