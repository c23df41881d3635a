"""A stand-in for Stripe's API that behaves as its documentation says, where the adapter relies on it.

Form-encoded bodies with nested names, bearer keys, a version header, idempotency keys with replay, refusal of the same
key with another body, and their end after a day; error bodies and statuses; declines; invoices that are paid once;
meter events, refused where the meter is not known, the time out of reach or the identifier taken within a day.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_double"
THREE_DECIMALS = {"kwd", "tnd", "bhd", "jod", "omr"}


class Refused(Exception):
    def __init__(self, status: int, kind: str, code: str, message: str, **more: Any) -> None:
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": message, **more}}


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``a[b][0][c]=1`` as Stripe reads it; lists by index."""
    found: dict[str, Any] = {}
    for name, text in pairs:
        parts = re.findall(r"[^\[\]]+", name)
        place = found
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        place[parts[-1]] = text
    return found


@dataclass
class Double:
    """The account: what was made in it, and every request that came."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    keys: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)
    #: Called with method and path before ("before") and after ("after") a request is done; may return True to fail it.
    trouble: Callable[[str, str, str], bool] = lambda *_: False
    charged: list[tuple[str, int, str]] = field(default_factory=list)
    #: The event names that meters listen to; None: any.
    meters: set[str] | None = None
    now: Callable[[], datetime] | None = None
    #: What counts there, in the order in which it came; and identifier -> when it came.
    metered: list[dict[str, Any]] = field(default_factory=list)
    identifiers: dict[str, datetime] = field(default_factory=dict)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Double:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                double._serve(self)

            do_GET = do_DELETE = do_POST  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def forget_keys(self) -> None:
        """A day goes by."""
        self.keys.clear()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.objects.values() if one["object"] == kind]

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        raw = request.rfile.read(length)
        parts = urlsplit(request.path)
        params = nested(parse_qsl(raw.decode() or parts.query, keep_blank_values=True))
        headers = {name.lower(): text for name, text in request.headers.items()}
        with self._lock:
            self.requests.append((request.command, parts.path, params, headers))
            if self.trouble("before", request.command, parts.path):
                return self._send(request, 500, json.dumps({"error": {"type": "api_error"}}).encode())
            status, body, replayed = self._answer(request.command, parts.path, params, headers, raw)
            if self.trouble("after", request.command, parts.path):
                request.close_connection = True
                return None  # done, and the answer is lost
        return self._send(request, status, body, replayed=replayed)

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes, *, replayed: bool = False) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Request-Id", f"req_{len(self.requests)}")
        if replayed:
            request.send_header("Idempotent-Replayed", "true")
        request.end_headers()
        request.wfile.write(body)

    def _answer(
        self, method: str, path: str, params: dict[str, Any], headers: dict[str, str], raw: bytes
    ) -> tuple[int, bytes, bool]:
        key = headers.get("idempotency-key") if method == "POST" else None
        asked = f"{path} {raw.decode()}"
        if key and key in self.keys:
            known, status, body = self.keys[key]
            if known != asked:
                error = {
                    "type": "idempotency_error",
                    "message": "Keys for idempotent requests can only be used with...",
                }
                return 400, json.dumps({"error": error}).encode(), False
            return status, body, True
        try:
            if headers.get("authorization") != f"Bearer {KEY}":
                raise Refused(401, "invalid_request_error", "api_key_invalid", "Invalid API Key provided")
            assert headers.get("stripe-version")
            assert method != "POST" or headers["content-type"].startswith("application/x-www-form-urlencoded")
            status, body = 200, json.dumps(self._do(method, path, params)).encode()
        except Refused as error:
            status, body = error.status, json.dumps(error.body).encode()
            if status == 401:
                return status, body, False
        if key:
            self.keys[key] = asked, status, body
        return status, body, False

    def _do(self, method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
        _, _, *parts = path.split("/")
        match method, parts:
            case "POST", ["customers"]:
                return self._new("cus", "customer", params)
            case "POST", ["invoiceitems"]:
                return self._item(params)
            case "POST", ["invoices"]:
                started = {
                    "status": "draft",
                    "amount_due": 0,
                    "amount_paid": 0,
                    "amount_remaining": 0,
                    "created": 2**31,
                }
                return self._new("in", "invoice", {**params, **started})
            case "GET", ["invoices"]:
                assert int(params["created"]["gte"]) > 0
                found = [one for one in self.of("invoice") if one["customer"] == params["customer"]]
                return {"object": "list", "data": found[::-1], "has_more": False, "url": "/v1/invoices"}
            case "POST", ["checkout", "sessions"]:
                made = self._new("cs", "checkout.session", params)
                made["url"] = f"https://checkout.stripe.com/c/pay/{made['id']}"
                return made
            case "POST", ["billing", "meter_events"]:
                return self._meter_event(params)
            case _, ["invoices", name, *verb]:
                return self._invoice(method, name, verb, params)
        raise Refused(404, "invalid_request_error", "resource_missing", f"Unrecognized request URL {path}")

    def _new(self, prefix: str, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        made = {"id": f"{prefix}_{self._count}", "object": kind, "metadata": {}, **params}
        self.objects[made["id"]] = made
        return made

    def _item(self, params: dict[str, Any]) -> dict[str, Any]:
        invoice, amount = self.objects[params["invoice"]], int(params["amount"])
        if invoice["status"] != "draft":
            raise Refused(400, "invalid_request_error", "invoice_not_editable", "This invoice is no longer editable")
        if params["currency"] in THREE_DECIMALS and amount % 10:
            raise Refused(400, "invalid_request_error", "invalid_charge_amount", "must be divisible by 10")
        invoice["amount_due"] += amount
        invoice["amount_remaining"] += amount
        return self._new("ii", "invoiceitem", params)

    def _meter_event(self, params: dict[str, Any]) -> dict[str, Any]:
        name, identifier = params["event_name"], params["identifier"]
        assert len(identifier) <= 100
        assert int(params["payload"]["value"]) > 0
        now = self.now() if self.now is not None else None
        came = self.identifiers.get(identifier)
        if came is not None and (now is None or now - came < timedelta(hours=24)):
            # Their real answer, as its users tell: no code beside it.
            text = f"An event already exists with identifier {identifier}."
            raise Refused(400, "invalid_request_error", "", text)
        if self.meters is not None and name not in self.meters:
            raise Refused(400, "invalid_request_error", "no_meter", f"No active meter for {name}", param="event_name")
        if now is not None:
            age = now - datetime.fromtimestamp(int(params["timestamp"]), UTC)
            if not -timedelta(minutes=5) <= age <= timedelta(days=35):
                text = "The timestamp is out of reach"
                raise Refused(400, "invalid_request_error", "timestamp_invalid", text, param="timestamp")
            self.identifiers[identifier] = now
        self.metered.append(params)
        return {"object": "billing.meter_event", **params}

    def _invoice(self, method: str, name: str, verb: list[str], params: dict[str, Any]) -> dict[str, Any]:
        if name not in self.objects:
            raise Refused(404, "invalid_request_error", "resource_missing", f"No such invoice: {name}", param="id")
        invoice = self.objects[name]
        match method, verb:
            case "DELETE", []:
                assert invoice["status"] == "draft"
                del self.objects[name]
                return {"id": name, "object": "invoice", "deleted": True}
            case "GET", []:
                return invoice
            case "POST", []:
                invoice["metadata"].update(params.get("metadata", {}))
            case "POST", ["finalize"]:
                assert invoice["status"] == "draft"
                balance = int(self.objects[invoice["customer"]].get("balance", 0))
                invoice["amount_remaining"] += balance
                invoice["status"] = "open"
            case "POST", ["void"]:
                assert invoice["status"] == "open"
                invoice["status"] = "void"
            case "POST", ["pay"]:
                self._pay(invoice)
        return invoice

    def _pay(self, invoice: dict[str, Any]) -> None:
        if invoice["status"] == "paid":
            raise Refused(400, "invalid_request_error", "invoice_already_paid", "Invoice is already paid")
        if "declines" in self.objects[invoice["customer"]]["name"]:
            raise Refused(
                402, "card_error", "card_declined", "Your card was declined.", decline_code="insufficient_funds"
            )
        self.charged.append((invoice["metadata"]["invoice"], invoice["amount_remaining"], invoice["currency"]))
        if "slow" in self.objects[invoice["customer"]]["name"]:
            return
        invoice["status"], invoice["amount_paid"] = "paid", invoice["amount_remaining"]
        invoice["amount_remaining"] = 0
        payment = {"type": "payment_intent", "payment_intent": f"pi_of_{invoice['id']}"}
        invoice["payments"] = {"object": "list", "data": [{"id": "inpay_1", "payment": payment}]}
