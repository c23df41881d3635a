"""TLS by our own hand: the certificate and its key, checked before any process starts, read again on SIGHUP."""

from __future__ import annotations

import ipaddress
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from modelmint.api.errors import BadCertificate, BadProxy

_log = logging.getLogger("modelmint.api")
#: Seconds that a client may take to shake hands.
HANDSHAKE_SECONDS = 10.0
#: A certificate that ends sooner is warned of.
SOON = timedelta(days=14)
#: Proxies on this machine speak for their callers without being named.
THIS_MACHINE = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the certificate with its chain, and its unencrypted key."""

    certificate: Path
    key: Path

    def check(self, now: datetime | None = None) -> x509.Certificate:
        """The certificate, where both files fit each other today; raises ``BadCertificate`` with all that is wrong."""
        now = now or datetime.now(UTC)
        problems: list[str] = []
        found = _certificate(self.certificate, problems)
        key = _public_of_key(self.key, problems)
        if found is not None:
            if now >= found.not_valid_after_utc:
                problems.append(
                    f"{self.certificate} expired on {found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC; renew it"
                )
            if now < found.not_valid_before_utc:
                problems.append(
                    f"{self.certificate} is valid only from {found.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
                )
            if key is not None and key != _raw(found.public_key()):
                problems.append(f"{self.key} is not the key of {self.certificate}: they belong to different pairs")
        if problems or found is None:
            raise BadCertificate("the shop cannot be served over TLS with these files", problems=problems)
        if found.not_valid_after_utc - now < SOON:
            _log.warning("%s expires on %s", self.certificate, f"{found.not_valid_after_utc:%Y-%m-%d}")
        return found

    def context(self) -> ssl.SSLContext:
        """For servers: TLS 1.2 and 1.3, HTTP/1.1; raises ``BadCertificate``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """New connections get the files as they are now, those that are open stay as they are.

        Raises ``BadCertificate`` and leaves the context as it was.
        """
        self.check()
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (ssl.SSLError, OSError) as error:
            raise BadCertificate(f"{self.certificate} and {self.key} cannot be used for TLS: {error}") from error


def _certificate(path: Path, problems: list[str]) -> x509.Certificate | None:
    content = _read(path, problems)
    if content is None:
        return None
    try:
        return x509.load_pem_x509_certificates(content)[0]
    except ValueError:
        problems.append(f"{path}: expected certificates in PEM (-----BEGIN CERTIFICATE-----), the server's own first")
        return None


def _public_of_key(path: Path, problems: list[str]) -> bytes | None:
    content = _read(path, problems)
    if content is None:
        return None
    try:
        return _raw(serialization.load_pem_private_key(content, password=None).public_key())
    except TypeError:
        problems.append(
            f"{path}: the key is encrypted; give it without a passphrase, readable by the server's user only"
        )
    except (ValueError, AttributeError):
        problems.append(f"{path}: expected a private key in PEM (-----BEGIN PRIVATE KEY-----)")
    return None


def _raw(public: object) -> bytes:
    found: bytes = public.public_bytes(  # type: ignore[attr-defined]  # every kind of public key has it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def _read(path: Path, problems: list[str]) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror or error}")
        return None


def proxies(named: Sequence[str]) -> tuple[str, ...]:
    """Addresses and networks whose ``X-Forwarded-*`` is believed, this machine's among them; raises ``BadProxy``."""
    problems = []
    for one in named:
        try:
            ipaddress.ip_network(one)
        except ValueError as error:
            problems.append(f"{one[:80]!r}: {error}")
    if problems:
        raise BadProxy(
            "expected the address of a proxy, or its network as 172.20.0.0/16; whoever is named there may say for whom "
            "it speaks",
            problems=problems,
        )
    return (*THIS_MACHINE, *named)
