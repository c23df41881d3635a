"""Compressed bodies, bounded."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmint.api.errors import BodyTooLarge
from modelmint.api.v2.compression import accepted, deflated, inflated
from modelmint.api.v2.errors import BadCompression, UnknownCompression


@given(st.binary(max_size=500))
def test_what_was_compressed_comes_back_and_others_can_read_ours(body: bytes) -> None:
    assert inflated(gzip.compress(body), b"gzip", 500) == body
    assert inflated(zlib.compress(body), b"Deflate", 500) == body
    assert inflated(body, None, 500) == inflated(body, b"identity", 500) == body
    assert gzip.decompress(deflated(body, "gzip")) == zlib.decompress(deflated(body, "deflate")) == body


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, b"gzip"), (zlib.compress, b"deflate")])
def test_a_bomb_is_refused_at_the_first_byte_too_many(pack: object, name: bytes) -> None:
    bomb = pack(bytes(20 * 2**20))  # type: ignore[operator]
    assert len(bomb) < 2**15
    with pytest.raises(BodyTooLarge, match="at most 1000 bytes, found 1001"):
        inflated(bomb, name, 1000)


@pytest.mark.parametrize(
    "body", [b"", b"plain", gzip.compress(b"abc")[:-1], gzip.compress(b"abc") + b"more", gzip.compress(b"a") * 2]
)
def test_a_broken_stream_is_refused(body: bytes) -> None:
    with pytest.raises(BadCompression):
        inflated(body, b"gzip", 1000)


def test_another_encoding_is_refused() -> None:
    for name in (b"br", b"gzip, gzip", b"\xff"):
        with pytest.raises(UnknownCompression):
            inflated(b"", name, 1000)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        (b"", None),
        (b"identity, br", None),
        (b"gzip", "gzip"),
        (b"br, Deflate;q=0.5, gzip", "deflate"),
        (b"gzip;q=0, deflate", "deflate"),
        (b"gzip; q=0.000", None),
        (b"\xff;;==,,gzip;x", "gzip"),
    ],
)
def test_the_first_encoding_that_the_caller_accepts_is_taken(header: bytes | None, found: str | None) -> None:
    assert accepted(header) == found
