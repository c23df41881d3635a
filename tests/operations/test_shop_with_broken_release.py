"""A folder without venture.toml whose shelf holds a release that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelmint.bootstrap import open_shop
from modelmint.operations.deploy import deploy
from modelmint.releases.errors import UnreadableManifest
from modelmint.testing.releases import brightness_release
from modelmint.testing.shops import furnish


def test_the_sound_release_keeps_its_venture_and_the_books_their_plans(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = furnish(tmp_path)
    broken = brightness_release(tmp_path / ".modelmint" / "releases", sharpness=6.0)
    (broken.path / "manifest.json").write_bytes(b"cut off")
    (tmp_path / "venture.toml").unlink()
    with open_shop(tmp_path) as opened:
        assert broken.id[:12] in caplog.text
        assert opened.name == "brightness"
        assert [customer.name for customer in opened.books.customers()] == ["Clinic North"]
        assert "payg" in {plan.name for plan in opened.books.plans()}
        assert deploy(opened.books, opened.shelf, shop.release)[0].release == shop.release
        with pytest.raises(UnreadableManifest, match=broken.id[:12]):
            deploy(opened.books, opened.shelf, broken.id)
    (tmp_path / ".modelmint" / "releases" / shop.release / "venture.toml").write_text("changed")
    with open_shop(tmp_path) as opened:
        assert opened.venture is None
        assert [customer.name for customer in opened.books.customers()] == ["Clinic North"]
