"""A shop with something to sell and somebody to sell it to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelmint.bootstrap import open_shop
from modelmint.kit.clock import Clock
from modelmint.operations.deploy import deploy
from modelmint.testing.releases import brightness_release
from modelmint.testing.ventures import venture_text


@dataclass(frozen=True, slots=True)
class Furnished:
    """What ``furnish`` made; ``secret`` is the key to call with."""

    root: Path
    model: str
    release: str
    customer: str
    key: str
    secret: str


def furnish(
    root: Path, *, name: str = "brightness", plan: str = "payg", venture: str = "", clock: Clock | None = None
) -> Furnished:
    """A venture in ``root`` with a deployed release, one customer on ``plan`` and one key. Nothing stays open."""
    text = venture or venture_text(name)
    root.mkdir(parents=True, exist_ok=True)
    (root / "venture.toml").write_text(text, encoding="utf-8")
    release = brightness_release(root / ".modelmint" / "releases", name, venture=text)
    with open_shop(root, clock=clock) as shop:
        deploy(shop.books, shop.shelf, release.id)
        customer = shop.books.add_customer("Clinic North", "desk@clinic.example")
        shop.books.subscribe(customer.id, plan)
        key, secret = shop.books.add_key(customer.id, "default")
    return Furnished(root, name, release.id, customer.id, key.id, secret)
