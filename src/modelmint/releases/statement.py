"""One statement to and from its file."""

from __future__ import annotations

import json
from pathlib import Path

from modelmint.kit.canonical import canonical_json
from modelmint.releases.errors import UnreadableStatement
from modelmint.releases.sign import signature_holds
from modelmint.releases.types import Statement


def signable(statement: Statement) -> bytes:
    """What is signed: the canonical JSON of everything but key and signature."""
    return canonical_json(
        {
            "kind": statement.kind,
            "release": statement.release,
            "machine": statement.machine,
            "made_at": statement.made_at,
            "body": statement.body,
        }
    )


def signed(statement: Statement) -> bool:
    """Whether the signature in the statement is that of the key in it."""
    return signature_holds(statement.public_key, statement.signature, signable(statement))


def read_statement(path: Path) -> Statement:
    """The statement in ``path``; raises ``UnreadableStatement`` where it is not one, byte for byte."""
    content = path.read_bytes()
    try:
        statement = Statement(**json.loads(content))
        canonical = canonical_json(statement)
    except (ValueError, TypeError) as error:
        raise UnreadableStatement(f"{path.name} is not a statement ({error})") from error
    if canonical != content:
        raise UnreadableStatement(f"{path.name} was edited: it is not in canonical form")
    return statement
