"""``modelmint serve`` over TLS by its own hand, and behind a proxy: real processes, real certificates, real clients."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from modelmint.api.errors import BadCertificate, BadProxy
from modelmint.api.tls import TlsFiles, proxies
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish
from modelmint.testing.waiting import eventually


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path

    @property
    def words(self) -> list[str]:
        return ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]


def write_pair(folder: Path, name: str = "shop", *, begins: float = -1.0, days: float = 90.0, secret: str = "") -> Pair:
    """A certificate for 127.0.0.1 that signs itself, valid from ``begins`` days from now for ``days``."""
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    since = datetime.now(UTC) + timedelta(days=begins)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(secret.encode()) if secret else serialization.NoEncryption()
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return pair


@contextmanager
def serving(root: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    line = [sys.executable, "-m", "modelmint", "-C", str(root), "--json", "serve", *words, "--port", "0"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=240)


def answer(url: str, method: str, path: str, body: bytes | None = None, *, trusting: Path | None, **headers: str):
    """(status, headers, JSON or text) over a connection of its own, the certificate verified by ``trusting``."""
    place = urlsplit(url).netloc
    if trusting is None:
        connection = http.client.HTTPConnection(place, timeout=120)
    else:
        context = ssl.create_default_context(cafile=str(trusting))
        connection = http.client.HTTPSConnection(place, timeout=120, context=context)
    try:
        connection.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def sold(shop: Furnished, url: str, trusting: Path) -> int:
    status, _, body = answer(
        url, "POST", f"/v1/models/{shop.model}/predict", picture(240), trusting=trusting,
        Authorization=f"Bearer {shop.secret}", Content_Type="image/png",
    )  # fmt: skip
    assert status == 200, body
    assert json.loads(body)["label"] == "bright"
    return status


def serial_of(url: str) -> int:
    place = urlsplit(url)
    assert place.hostname and place.port
    return x509.load_pem_x509_certificate(
        ssl.get_server_certificate((place.hostname, place.port)).encode()
    ).serial_number


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")  # old ones are asked for on purpose
def test_calls_are_sold_over_tls_by_every_worker_and_nothing_else_is_spoken(tmp_path: Path) -> None:
    shop, pair = furnish(tmp_path / "shop"), write_pair(tmp_path / "tls")
    with serving(tmp_path / "shop", *pair.words, "--workers", "2") as (_, told):
        assert told["url"].startswith("https://127.0.0.1:")
        assert told["console"].startswith("https://")
        assert [sold(shop, told["url"], pair.certificate) for _ in range(12)] == [200] * 12
        _, headers, _ = answer(told["url"], "GET", "/console/sign-in", trusting=pair.certificate)
        assert "secure" in headers["set-cookie"].lower()
        stranger = write_pair(tmp_path / "tls", "stranger")
        with pytest.raises(ssl.SSLCertVerificationError):
            answer(told["url"], "GET", "/healthz/live", trusting=stranger.certificate)
        with pytest.raises((http.client.HTTPException, OSError)):
            answer(told["url"], "GET", "/healthz/live", trusting=None)
        _refuses_old_tls(told["url"])
        _outlives_silence(told["url"])
        assert sold(shop, told["url"], pair.certificate) == 200


def _refuses_old_tls(url: str) -> None:
    place = urlsplit(url)
    for version, holds in (
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with socket.create_connection((place.hostname, place.port), timeout=120) as raw:
            if holds:
                with context.wrap_socket(raw) as wrapped:
                    assert wrapped.version() == f"TLSv1.{version - 0x301}"
            else:
                with pytest.raises((ssl.SSLError, OSError)):
                    context.wrap_socket(raw)


def _outlives_silence(url: str) -> None:
    """Clients that connect and say nothing, half a hello, or nonsense."""
    place = urlsplit(url)
    for said in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", bytes(4096)):
        with socket.create_connection((place.hostname, place.port), timeout=120) as raw:
            raw.sendall(said)


def test_a_renewed_certificate_is_taken_up_without_a_stop_and_a_broken_one_is_not(tmp_path: Path) -> None:
    shop, pair = furnish(tmp_path / "shop"), write_pair(tmp_path / "tls")
    with serving(tmp_path / "shop", *pair.words, "--workers", "2") as (process, told):
        first = serial_of(told["url"])
        pair.key.write_bytes(write_pair(tmp_path / "tls", "other").key.read_bytes())
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        assert any("certificate in use stays" in line for line in process.stderr)  # reads until it is said
        assert {serial_of(told["url"]) for _ in range(6)} == {first}
        write_pair(tmp_path / "tls")  # the pair at the same paths, new
        process.send_signal(signal.SIGHUP)
        wanted = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number
        eventually(lambda: {serial_of(told["url"]) for _ in range(6)} == {wanted})  # every worker has taken it up
        assert sold(shop, told["url"], pair.certificate) == 200
        assert process.poll() is None


def test_files_that_cannot_serve_are_refused_with_everything_that_is_wrong(tmp_path: Path) -> None:
    sound, other = write_pair(tmp_path, "sound"), write_pair(tmp_path, "other")
    expired, early = write_pair(tmp_path, "old", begins=-9, days=5), write_pair(tmp_path, "early", begins=2)
    locked = write_pair(tmp_path, "locked", secret="passphrase")
    text = tmp_path / "text"
    text.write_text("hello")
    assert TlsFiles(sound.certificate, sound.key).check().subject
    for files, words in {
        (sound.certificate, other.key): ["not the key of"],
        (expired.certificate, expired.key): ["expired on"],
        (early.certificate, early.key): ["valid only from"],
        (locked.certificate, locked.key): ["encrypted"],
        (text, text): ["certificates in PEM", "private key in PEM"],
        (tmp_path / "gone", tmp_path): ["No such file", "Is a directory"],
        (expired.certificate, other.key): ["expired on", "not the key of"],
        (sound.key, sound.certificate): ["certificates in PEM", "private key in PEM"],
    }.items():
        with pytest.raises(BadCertificate) as refused:
            TlsFiles(*files).check()
        assert len(refused.value.problems) == len(words)
        for problem, word in zip(refused.value.problems, words, strict=True):
            assert word in problem


def test_the_shell_refuses_to_serve_with_them_before_anything_starts(tmp_path: Path) -> None:
    furnish(tmp_path / "shop")
    pair = write_pair(tmp_path, "old", begins=-9, days=5)
    for words, code in (
        (pair.words, "bad_certificate"),
        (pair.words[:2], "bad_usage"),
        (["--behind-proxy", "*"], "bad_proxy"),
    ):
        line = [
            sys.executable,
            "-m",
            "modelmint",
            "-C",
            str(tmp_path / "shop"),
            "--json",
            "serve",
            "--port",
            "0",
            *words,
        ]
        done = subprocess.run(line, capture_output=True, text=True, timeout=240)
        assert done.returncode == 2
        assert json.loads(done.stdout)["error"]["code"] == code


def test_proxies_are_addresses_or_networks_and_this_machine_is_one() -> None:
    assert proxies(["10.1.2.3", "172.20.0.0/16"]) == ("127.0.0.1", "::1", "10.1.2.3", "172.20.0.0/16")
    with pytest.raises(BadProxy) as refused:
        proxies(["caddy", "10.0.0.1/8", "*"])
    assert len(refused.value.problems) == 3


def test_a_proxy_that_is_named_speaks_for_its_callers_and_nobody_else_does(tmp_path: Path) -> None:
    furnish(tmp_path / "shop")
    forged = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https"}
    own = _address_of_this_machine()
    for named, believed in (([], False), (["--behind-proxy", own], True)):
        with serving(tmp_path / "shop", "--workers", "1", "--host", "0.0.0.0", *named) as (_, told):
            port = re.search(r":(\d+)$", told["url"])
            assert port
            for client, speaks in ((own, believed), ("127.0.0.1", True)):
                _, headers, _ = answer(f"http://{client}:{port[1]}", "GET", "/console/sign-in", trusting=None, **forged)
                assert ("secure" in headers["set-cookie"].lower()) == speaks, (named, client)


def _address_of_this_machine() -> str:
    """One that is not the loopback; skips where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # documentation's network: nothing is sent
            found = str(probe.getsockname()[0])
        except OSError:
            found = "127.0.0.1"
    if found.startswith("127."):
        pytest.skip("needs an address of this machine beside the loopback")
    return found
