"""Where messages may go: what an address must look like, and which machines a customer may make us call.

A server that calls whatever it is told can be made to call its own neighbours. So a customer's endpoint must
stand on the public internet, and that is judged on the address that is connected to, not on the name.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from modelmint.commerce.webhooks.errors import BadEndpoint

LONGEST_URL = 500
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Networks whose addresses hold an IPv4 address that a gateway may pass on to: (network, bits behind the address).
_CARRIERS = (
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
    (ipaddress.IPv6Network("::/96"), 0),  # IPv4-compatible, given up long ago and still routed by some
)
#: What ``ipaddress`` takes for global, or does so in some versions, and is no place on the public internet.
_NOWHERE: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = (
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4, given up (RFC 7526)
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # NAT64 of one's own network, whatever lies behind it (RFC 8215)
    ipaddress.IPv6Network("::ffff:0:0:0/96"),  # translated IPv4, inside a translator's network (RFC 7915)
    ipaddress.IPv6Network("fec0::/10"),  # site-local, given up and still in use (RFC 3879)
    ipaddress.IPv6Network("5f00::/16"),  # segment routing inside a network (RFC 9602)
    ipaddress.IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)


def checked_url(url: str, *, encrypted: bool) -> SplitResult:
    """The parts of an endpoint's URL; raises ``BadEndpoint`` with everything that is wrong with it.

    ``encrypted``: https only, as for customers, whose figures it carries over networks that are not ours.
    """
    problems = []
    if len(url) > LONGEST_URL or not url.isascii() or any(char <= " " or char == "\x7f" for char in url):
        problems.append(f"expected at most {LONGEST_URL} plain ASCII characters without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadEndpoint("a webhook's URL cannot be used", problems=[f"cannot be read: {error}"]) from error
    allowed = ("https",) if encrypted else ("https", "http")
    if parts.scheme not in allowed:
        problems.append(f"expected {' or '.join(allowed)}://, found {parts.scheme[:20]!r}")
    if not parts.hostname:
        problems.append("expected a host, found none")
    if parts.username is not None or parts.password is not None:
        problems.append("expected no user and password in it; the signature says who sends")
    if parts.fragment:
        problems.append("expected no fragment (#...); it is never sent")
    if port == 0:
        problems.append("expected a port from 1 to 65535, found 0")
    if problems:
        raise BadEndpoint("a webhook's URL cannot be used", problems=problems)
    return parts


def is_public(address: str) -> bool:
    """Whether an IP address stands on the public internet, whatever it is wrapped in."""
    found: Address = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or (found.teredo[1] if found.teredo else None) or _carried(found)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast and not any(found in network for network in _NOWHERE)


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    for network, behind in _CARRIERS:
        if address in network:
            return ipaddress.IPv4Address((int(address) >> behind) & 0xFFFFFFFF)
    return None
