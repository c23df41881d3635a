"""Which addresses a message may be sent to."""

from __future__ import annotations

import pytest

from modelmint.commerce.webhooks.addresses import checked_url, is_public
from modelmint.commerce.webhooks.errors import BadEndpoint
from modelmint.commerce.webhooks.kinds import checked_kinds


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:a00:1::", "2002:7f00:1::1",
        "::7f00:1", "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "64:ff9b:1::a00:1", "64:ff9b:1::808:808", "64:ff9b:1:ffff::1", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8",
        "fec0::1", "feff::1", "5f00::1", "3fff::1", "3fff:fff::1", "192.88.99.1", "2002:c058:6301::1",
    ],
)  # fmt: skip
def test_private_and_special_addresses_are_not_public_however_they_are_wrapped(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_on_the_internet_are_public(address: str) -> None:
    assert is_public(address)


def test_everything_wrong_with_a_url_is_told_at_once() -> None:
    with pytest.raises(BadEndpoint) as refusal:
        checked_url("ftp://user:secret@host/a b#c", encrypted=False)
    assert len(refusal.value.problems) == 4
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    ["", "hooks.example.com", "https://", "https://h:0/", "https://h:99999/", "https://[::1", "https://例.com/",
     "https://h/\r\nX: y", "https://h/" + "a" * 500, "javascript:alert(1)", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(BadEndpoint):
        checked_url(url, encrypted=False)


def test_customers_use_https_and_the_founder_may_use_http() -> None:
    assert checked_url("http://10.0.0.5:8080/hook?a=1", encrypted=False).port == 8080
    with pytest.raises(BadEndpoint, match="https"):
        checked_url("http://example.com/hook", encrypted=True)


def test_an_unknown_kind_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(BadEndpoint, match=r"invoice\.finalised"):
        checked_kinds(["invoice.finalized"], "founder")
    assert checked_kinds([], "founder") == ("*",)
    assert checked_kinds(["invoice.paid", "credit.low", "invoice.paid"], "cus_1") == ("credit.low", "invoice.paid")


def test_a_customer_cannot_ask_for_what_only_the_founder_hears() -> None:
    with pytest.raises(BadEndpoint):
        checked_kinds(["plan.changed"], "cus_1")
    assert checked_kinds(["plan.changed"], "founder") == ("plan.changed",)
