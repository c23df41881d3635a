"""Whose archives are taken in: the workspace's own, and those of signers that the founder named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modelmint.kit.canonical import pretty_json
from modelmint.kit.files import write_atomic
from modelmint.releases.errors import UnknownSigner, UnreadableTrust, WrongFingerprint
from modelmint.releases.manifest import is_digest
from modelmint.releases.sign import KEY_FILE, fingerprint, open_key

#: Name of the store in a workspace's ``keys/`` folder.
TRUSTED_FILE = "trusted.json"


@dataclass(frozen=True)
class TrustStore:
    """The signers that a workspace trusts. An unknown one is refused, never asked about."""

    keys: Path

    @property
    def own(self) -> str | None:
        """Fingerprint of the workspace's own key; None where it never signed anything. No key is made here."""
        path = self.keys / KEY_FILE
        return fingerprint(open_key(path).public) if path.exists() else None

    def signers(self) -> Mapping[str, str]:
        """Fingerprint -> what the founder calls it; the workspace's own is not among them."""
        path = self.keys / TRUSTED_FILE
        try:
            found = json.loads(path.read_bytes())["signers"]
            sound = isinstance(found, dict) and all(is_digest(k) and isinstance(v, str) for k, v in found.items())
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            raise UnreadableTrust(f"{path} does not list trusted signers; move it away and name them again")
        return dict(found)

    def trust(self, wanted: str, name: str = "") -> str:
        """Trust the signer with this fingerprint from now on; the fingerprint. Raises ``WrongFingerprint``."""
        found = as_fingerprint(wanted)
        self._write({**self.signers(), found: name})
        return found

    def forget(self, wanted: str) -> bool:
        """Trust a signer no longer; False where it was not trusted. What was imported stays."""
        found, signers = as_fingerprint(wanted), dict(self.signers())
        known = signers.pop(found, None) is not None
        if known:
            self._write(signers)
        return known

    def check(self, signer: str, release: str, trusting: str | None = None) -> None:
        """Raises ``UnknownSigner`` unless ``signer`` is the workspace itself, trusted, or named by ``trusting``.

        ``WrongFingerprint`` where ``trusting`` names another one.
        """
        if trusting is not None:
            if as_fingerprint(trusting) != signer:
                raise WrongFingerprint(
                    f"this archive is signed by {signer}, not by {as_fingerprint(trusting)}: it is not from whom you "
                    "think; do not use it",
                    details={"fingerprint": signer},
                )
            return
        if signer == self.own or signer in self.signers():
            return
        raise UnknownSigner(
            f"this archive of release {release[:12]} is signed by a key that this workspace does not know: {signer}. "
            "Ask whoever gave it to you, by another way than the archive came, what `modelmint releases signers` "
            f"prints there; if it is this fingerprint, import with --trust {signer}",
            details={"fingerprint": signer, "release": release},
        )

    def _write(self, signers: Mapping[str, str]) -> None:
        self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(self.keys / TRUSTED_FILE, pretty_json({"signers": dict(signers)}), mode=0o600)


def as_fingerprint(text: str) -> str:
    """64 hex digits, however they are grouped; raises ``WrongFingerprint``."""
    found = text.lower().removeprefix("sha256:").replace(":", "").replace(" ", "")
    if not is_digest(found):
        raise WrongFingerprint(
            "expected a whole fingerprint, 64 hex digits as `modelmint releases signers` prints it; "
            f"found {text[:80]!r}"
        )
    return found
