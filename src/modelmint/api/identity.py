"""Who is calling: a customer by key, the founder by token. Secrets are compared as digests only."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from starlette.types import Scope

from modelmint.api.body import header
from modelmint.api.errors import BadHeader, WrongAdminToken
from modelmint.commerce.errors import Unauthenticated
from modelmint.kit.digest import digest_bytes
from modelmint.kit.files import write_atomic
from modelmint.kit.ids import new_secret

ADMIN_TOKEN = Path("keys") / "admin.token"
_BEARER = b"bearer "
_LONGEST = 256


def bearer(scope: Scope) -> bytes | None:
    """The token of ``Authorization: Bearer ...``, None where there is none; raises ``BadHeader`` for two."""
    if sum(name == b"authorization" for name, _ in scope["headers"]) > 1:
        raise BadHeader("expected one Authorization header, found more; send the key once")
    given = header(scope, b"authorization")
    if given is None or given[: len(_BEARER)].lower() != _BEARER:
        return None
    token = given[len(_BEARER) :].strip()
    return token if 0 < len(token) <= _LONGEST else None


def key_digest(scope: Scope) -> str:
    """sha256, hex, of the presented key; raises ``Unauthenticated`` where none was presented.

    The books look keys up by this digest, so that the time a look-up takes tells nothing about a secret.
    """
    token = bearer(scope)
    if token is None:
        raise Unauthenticated("expected 'Authorization: Bearer mm_...' with a valid key, found no key")
    return digest_bytes(token)


def admin_token(workspace: Path) -> str:
    """The founder's token; made on first use, readable by the owner only."""
    path = workspace / ADMIN_TOKEN
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(path, new_secret("mma") + "\n", mode=0o600)
    path.chmod(0o600)
    return path.read_text().strip()


def is_admin(given: bytes, token: str) -> bool:
    """Whether what was presented is the founder's token."""
    return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(token.encode()).digest())


def check_admin(scope: Scope, token: str) -> None:
    """Raises ``WrongAdminToken`` unless the caller presents the founder's token."""
    if not is_admin(bearer(scope) or b"", token):
        raise WrongAdminToken("expected the founder's token, which lies in .modelmint/keys/admin.token")
