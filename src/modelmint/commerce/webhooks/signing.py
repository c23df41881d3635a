"""Signatures of Standard Webhooks 1.0: who sent it, that nothing was changed, and when.

What is signed is ``id.timestamp.body``, by HMAC-SHA256, with the bytes behind the secret's ``whsec_``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

from modelmint.commerce.webhooks.errors import BadEndpoint, ForgedWebhook

PREFIX = "whsec_"
VERSION = "v1"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
#: Seconds that a message may be old, or ahead of our clock.
TOLERANCE = 300
#: Bytes of a new secret; the specification asks for 24 to 64.
SECRET_BYTES = 32


def new_secret() -> str:
    """256 random bits, written as the specification asks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """``v1,...`` for a message sent at ``timestamp``, whole seconds since 1970."""
    signed = b".".join([message.encode(), str(timestamp).encode(), body])
    return f"{VERSION},{base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()}"


def headers(valid: Sequence[str], message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; one signature per secret, so that a receiver may change from one to the next in its time."""
    signatures = " ".join(sign(secret, message, timestamp, body) for secret in valid)
    return {ID: message, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def verify(secret: str, received: Mapping[str, str], body: bytes, now: int) -> str:
    """The id of an authentic message; raises ``ForgedWebhook``. ``received`` has lower-case names."""
    message, sent, given = (received.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (message and sent and given):
        raise ForgedWebhook(f"expected the headers {ID}, {TIMESTAMP} and {SIGNATURE}; one is missing")
    if not (sent.isascii() and sent.isdecimal() and len(sent) < 16):
        raise ForgedWebhook(f"expected {TIMESTAMP} as whole seconds since 1970")
    if abs(now - int(sent)) > TOLERANCE:
        raise ForgedWebhook(f"expected a message signed within {TOLERANCE} s of now; this one is older, or from later")
    expected = sign(secret, message, int(sent), body).encode()
    # Every signature is compared, in constant time; those of other versions are passed over.
    matches = [hmac.compare_digest(expected, one.encode()) for one in given.split(" ")]
    if not any(matches):
        raise ForgedWebhook("the signature is not of this message and our secret")
    return message


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise BadEndpoint(f"expected a secret like {PREFIX}... in base64; this one cannot be read") from error
