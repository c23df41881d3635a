"""Who is signed in: signed cookies, the token of every form, and sign-out that holds for every process.

A session is a cookie ``content.mac``; nothing of it is stored. The signing secrets are derived from the founder's
token, so that all processes agree and a replaced token ends every session. Only the ids of sessions that were
signed out are kept, as empty files, until they would have expired anyway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

LIFE = timedelta(hours=12)
FOUNDER, CUSTOMER, NOBODY = "founder", "customer", ""
_LONGEST_COOKIE = 2048


@dataclass(frozen=True, slots=True)
class Session:
    """``who`` is the founder, a customer (then ``customer`` and ``key`` are ids), or nobody yet."""

    id: str
    who: str
    customer: str
    key: str
    #: Seconds since 1970 at which it ends.
    until: int


class Signer:
    """Texts that only this shop can have written, each for one purpose."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def mac(self, purpose: str, text: str) -> str:
        """Keyed digest of ``text``, hex; digests for one purpose say nothing for another."""
        key = hmac.digest(self._token, f"modelmint console {purpose}".encode(), "sha256")
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def sign(self, purpose: str, text: str) -> str:
        """``text`` as a cookie can carry it, with its digest behind a dot."""
        content = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return f"{content}.{self.mac(purpose, content)}"

    def read(self, purpose: str, signed: str) -> str | None:
        """The text that ``sign`` was given, None where anything was changed."""
        content, dot, mac = signed.partition(".")
        if not dot or len(signed) > _LONGEST_COOKIE or not signed.isascii():
            return None
        if not hmac.compare_digest(mac, self.mac(purpose, content)):
            return None
        try:
            return base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None


class Sessions:
    """Opens, reads and ends sessions."""

    def __init__(self, signer: Signer, ended: Path) -> None:
        self._signer, self._ended = signer, ended

    def open(
        self, now: datetime, who: str = NOBODY, customer: str = "", key: str = "", *, life: timedelta = LIFE
    ) -> Session:
        """A new session; its id is never one that a caller brought along."""
        return Session(secrets.token_hex(16), who, customer, key, int((now + life).timestamp()))

    def cookie(self, session: Session) -> str:
        """What the browser keeps."""
        return self._signer.sign("session", json.dumps(asdict(session), separators=(",", ":")))

    def read(self, cookie: str | None, now: datetime) -> Session | None:
        """The session of a cookie that is whole, not expired and not signed out."""
        text = self._signer.read("session", cookie) if cookie else None
        if text is None:
            return None
        try:
            session = Session(**json.loads(text))
        except TypeError:  # of another version of this console
            return None
        return None if session.until <= now.timestamp() or (self._ended / session.id).exists() else session

    def end(self, session: Session, now: datetime) -> None:
        """The cookie opens nothing any more, in this process and in any other."""
        self._ended.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._ended.iterdir():
            if left.stat().st_mtime < (now - 2 * LIFE).timestamp():
                left.unlink(missing_ok=True)
        (self._ended / session.id).touch(mode=0o600)

    def form_token(self, session: Session) -> str:
        """What every form of this session carries; another site cannot know it."""
        return self._signer.mac("form", session.id)

    def form_fits(self, session: Session, given: str) -> bool:
        """Whether a form came from one of this session's own pages."""
        return hmac.compare_digest(given.encode(), self.form_token(session).encode())
