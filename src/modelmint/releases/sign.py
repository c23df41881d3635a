"""Ed25519 signatures (RFC 8032) under statements. The public key travels in the statement."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from modelmint.kit.digest import digest_bytes
from modelmint.kit.files import write_atomic
from modelmint.releases.errors import UnreadableKey

#: Name of the key's file in a workspace's ``keys/`` folder.
KEY_FILE = "statements.pem"


@dataclass(frozen=True)
class SigningKey:
    """A private key that signs statements."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The public half, base64 of its 32 raw bytes."""
        raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def sign(self, message: bytes) -> str:
        """Base64 of the 64-byte signature."""
        return base64.b64encode(self.private.sign(message)).decode()


def open_key(path: Path) -> SigningKey:
    """The key in ``path`` (PEM, PKCS 8); made there, readable by its owner only, where there is none."""
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(path, pem, mode=0o600)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise UnreadableKey(
            f"expected an unencrypted Ed25519 key in PEM at {path}; move it away and a new one is made"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnreadableKey(f"expected an Ed25519 key at {path}, found {type(key).__name__}; move it away")
    return SigningKey(key)


def fingerprint(public: str) -> str:
    """sha256 of the raw public key, 64 hex digits: what people compare."""
    return digest_bytes(base64.b64decode(public))


def public_key(path: Path) -> str | None:
    """The public half of the key in ``path``, base64; None where there is no key. Raises ``UnreadableKey``."""
    return open_key(path).public if path.exists() else None


def signature_holds(public: str, signature: str, message: bytes) -> bool:
    """Whether ``signature`` over ``message`` is the one of ``public``; False for anything malformed."""
    try:
        raw_key, raw_signature = _exact(public), _exact(signature)
        Ed25519PublicKey.from_public_bytes(raw_key).verify(raw_signature, message)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _exact(text: str) -> bytes:
    # base64 leaves spare bits in its last character; only the one true spelling counts, so that no
    # changed byte goes unseen.
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not the canonical base64 spelling")
    return raw
