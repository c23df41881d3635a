"""Sending one message: what is signed, what is refused, what ends in time."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook

from modelmint.commerce.webhooks.signing import new_secret
from modelmint.commerce.webhooks.types import NO_PLACE, Endpoint, Message, Parcel
from modelmint.worker.send import Sender

from .receiver import OK, Receiver, says, status

NOW = datetime.now(UTC)
SECRET = new_secret()


def parcel(url: str, owner: str = "founder") -> Parcel:
    endpoint = Endpoint("wh_1", owner, url, ("*",), NOW, None)
    message = Message("msg_1", "invoice.paid", "cus_1", {"number": 7, "note": "发票"}, NOW)
    return Parcel("del_1", message, endpoint, (SECRET,), 0)


def test_what_arrives_is_signed_so_that_the_specifications_library_accepts_it() -> None:
    with Receiver() as receiver:
        receipt = Sender().send(parcel(receiver.url))
        ((headers, body, request),) = receiver.requests
    assert (receipt.taken, receipt.status, receipt.error) == (True, 204, "")
    content = Webhook(SECRET).verify(body.decode(), headers)
    assert content["type"] == "invoice.paid" and content["data"] == {"number": 7, "note": "发票"}
    assert content["customer"] == "cus_1" and content["timestamp"].endswith("Z")
    assert request == "POST /hook?a=1 HTTP/1.1"
    assert headers["host"] == f"localhost:{receiver.port}" and headers["content-type"] == "application/json"


@pytest.mark.parametrize("code", [400, 404, 410, 429, 500, 503])
def test_a_refusal_is_told_by_its_status(code: int) -> None:
    with Receiver(status(code)) as receiver:
        receipt = Sender().send(parcel(receiver.url))
    assert (receipt.taken, receipt.status, receipt.gone) == (False, code, code == 410)


def test_a_redirect_is_a_failure_and_is_not_followed() -> None:
    with Receiver() as target, Receiver(status(307, f"Location: {target.url}\r\n")) as receiver:
        receipt = Sender().send(parcel(receiver.url))
        assert target.requests == []
    assert (receipt.taken, receipt.status) == (False, 307)
    assert "not followed" in receipt.error


def test_interim_answers_are_passed_over() -> None:
    with Receiver(says("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")) as receiver:
        assert Sender().send(parcel(receiver.url)).status == 200


def test_a_receiver_that_is_down_speaks_nonsense_or_hangs_up_is_a_failure_with_its_reason() -> None:
    with Receiver() as receiver:
        url = receiver.url
    down = Sender().send(parcel(url))
    assert (down.taken, down.status) == (False, None) and "refused" in down.error
    for answer, said in ((says("SSH-2.0-OpenSSH_9\r\n"), "HTTP"), (says(""), "ended"), (says("x" * 20_000), "bytes")):
        with Receiver(answer) as receiver:
            receipt = Sender().send(parcel(receiver.url))
        assert receipt.status is None and said in receipt.error
    unknown = Sender().send(parcel("http://no-such-host.invalid/"))
    assert unknown.status is None and unknown.error.startswith(NO_PLACE) and "no-such-host" in unknown.error
    too_long = Sender().send(parcel(f"http://{'a' * 64}.example.com/"))
    assert too_long.status is None and too_long.error.startswith(NO_PLACE)


def test_a_receiver_that_never_ends_its_answer_holds_nothing_up() -> None:
    def drip(connection: socket.socket) -> None:
        for _ in range(1000):
            connection.sendall(b"H")
            time.sleep(0.02)

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with Receiver(drip) as receiver:
        receipt = Sender(seconds=0.3).send(parcel(receiver.url))
        assert (receipt.status, receipt.error) == (None, "no answer in time")
    with Receiver(endless) as receiver:
        assert Sender(seconds=30).send(parcel(receiver.url)).status == 200


def test_a_customers_message_does_not_reach_a_private_address_by_name_or_number() -> None:
    with Receiver() as receiver:
        for host in ("localhost", "127.0.0.1", "0.0.0.0"):
            receipt = Sender().send(parcel(f"https://{host}:{receiver.port}/", owner="cus_1"))
            assert receipt.status is None and receipt.error.startswith(NO_PLACE)
        assert receiver.requests == []
        assert Sender(private=True).send(parcel(receiver.url, owner="cus_1")).taken


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def rebind(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)  # a name that is public when it is judged and private when it is looked up again
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    connected: list[object] = []

    class Recorded(socket.socket):
        def connect(self, address: object) -> None:
            connected.append(address)
            raise ConnectionRefusedError("not really")

    monkeypatch.setattr("modelmint.worker.send.socket.getaddrinfo", rebind)
    monkeypatch.setattr("modelmint.worker.send.socket.socket", Recorded)
    Sender().send(parcel("https://rebind.example.com/", owner="cus_1"))
    assert asked == ["rebind.example.com"]
    assert connected == [("93.184.216.34", 443)]


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own for ``host``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(made.public_bytes(kind) + key.private_bytes(kind, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


def test_certificates_are_checked_against_who_is_trusted_and_against_the_host(tmp_path: Path) -> None:
    good, trusted = certificate(tmp_path, "localhost")
    other, also_trusted = certificate(tmp_path, "other.example")
    client = ssl.create_default_context(cafile=str(trusted))
    client.load_verify_locations(also_trusted)
    with Receiver(OK, good) as receiver:
        assert Sender(tls=client).send(parcel(receiver.url)).taken
        untrusted = Sender().send(parcel(receiver.url))
        assert untrusted.status is None and "certificate" in untrusted.error.lower()
    with Receiver(OK, other) as receiver:
        wrong = Sender(tls=client).send(parcel(receiver.url))
        assert wrong.status is None and receiver.requests == []
