"""A furnished shop and its application in this process; a module that needs them otherwise makes its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from modelmint.api.app import Application, create_app
from modelmint.bootstrap import open_shop
from modelmint.testing.shops import Furnished, furnish


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def app(furnished: Furnished) -> Iterator[Application]:
    app = create_app(open_shop(furnished.root))
    yield app
    app.service.close()
