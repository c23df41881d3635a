"""Where a server can listen."""

from __future__ import annotations

import pytest

from modelmint.api.errors import BadHost
from modelmint.api.server import listen


@pytest.mark.parametrize("host", ["999.1.1.1", "203.0.113.9", "::1::2", "a" * 80])
def test_a_host_that_is_no_address_of_this_machine_is_named_and_the_port_is_not_blamed(host: str) -> None:
    with pytest.raises(BadHost) as refused:
        listen(host, 0)
    assert repr(host) in refused.value.message
    assert refused.value.code == "bad_host"
