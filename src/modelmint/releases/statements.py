"""Signed, dated records about a release on a machine: added beside the content, never edited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from modelmint.kit.canonical import canonical_json, plain
from modelmint.kit.clock import Clock
from modelmint.kit.digest import digest_bytes
from modelmint.kit.files import write_atomic
from modelmint.releases.bundle import Release
from modelmint.releases.manifest import STATEMENTS
from modelmint.releases.sign import open_key
from modelmint.releases.statement import signable, signed
from modelmint.releases.types import Statement

Signer = Literal["own", "foreign", "bad"]


def add(release: Release, kind: str, body: Mapping[str, Any], keyfile: Path, machine: str, clock: Clock) -> Statement:
    """Sign ``body`` with the workspace's key (made where there is none) and lay it beside the release."""
    key = open_key(keyfile)
    # Through JSON once, so that what is signed is what will be read back.
    content = json.loads(canonical_json(body))
    unsigned = Statement(kind, release.id, machine, plain(clock.now()), content, public_key=key.public)
    statement = Statement(
        unsigned.kind,
        unsigned.release,
        unsigned.machine,
        unsigned.made_at,
        unsigned.body,
        public_key=key.public,
        signature=key.sign(signable(unsigned)),
    )
    stored = canonical_json(statement)
    stamp = statement.made_at.replace(":", "").replace("-", "")
    name = f"{kind}-{machine}-{stamp}-{digest_bytes(stored)[:8]}.json"
    write_atomic(release.path / STATEMENTS / name, stored)
    return statement


def signer(statement: Statement, own_public_key: str | None) -> Signer:
    """Who signed: this workspace, somebody else, or nobody (the signature does not hold)."""
    if not signed(statement):
        return "bad"
    return "own" if statement.public_key == own_public_key else "foreign"
