"""An invoice made again in a fresh process that sees its ledger segment, its plan version and its releases alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from modelmint.commerce.billing import inputs_json
from modelmint.commerce.documents import plan_json
from modelmint.commerce.ledger.errors import BadSegment
from modelmint.commerce.ledger.replay import first_difference
from modelmint.commerce.ledger.segment import from_text, to_lines
from modelmint.commerce.ledger.types import Replayed
from modelmint.commerce.repository import Books
from modelmint.kit.canonical import canonical_json, pretty_json

_PATIENCE = 120


def replay_invoice(books: Books, wanted: str) -> Replayed:
    """Export the segment of an invoice (id or number), make it again elsewhere, compare byte by byte with the books."""
    segment = books.journal.segment(wanted)
    plan = books.plan(segment.plan, segment.plan_version)
    with tempfile.TemporaryDirectory(prefix="modelmint-replay-") as folder:
        cut, terms = Path(folder, "segment.jsonl"), Path(folder, "plan.json")
        cut.write_text("".join(to_lines(segment)), encoding="utf-8")
        terms.write_bytes(canonical_json(plan_json.to_json(plan)))
        found = replay_files(cut, terms)
    stored = books.journal.frozen(wanted)
    if found.body == stored:
        return found
    lines = [pretty_json(json.loads(body or "{}")).splitlines() for body in (stored, found.body)]
    return replace(found, difference=found.difference or first_difference(*lines) or (stored, found.body))


def replay_files(segment: Path, plan: Path, releases: Sequence[str] | None = None) -> Replayed:
    """The same from two files, without any books; ``releases`` are those of the inputs where none are given.

    Raises ``BadSegment`` where a file cannot be read.
    """
    if releases is None:
        cut = from_text(_text(segment))
        try:
            releases = inputs_json.from_json(json.loads(cut.inputs)).releases
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            raise BadSegment(f"the inputs in {segment} cannot be read: {error!r}") from error
    # No venture, no database, no folder of ours: the environment says nothing but where Python finds its modules.
    known = {name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "PATH", "HOME", "LANG")}
    command = [sys.executable, "-P", "-m", "modelmint.commerce.ledger.replay", str(segment), str(plan), *releases]
    told = subprocess.run(  # noqa: S603  # our own interpreter and module; the words are file names and ids
        command, check=False, capture_output=True, text=True, env=known, timeout=_PATIENCE, stdin=subprocess.DEVNULL
    )
    try:
        found = json.loads(told.stdout)
    except ValueError as error:
        raise BadSegment(f"replay told nothing: {told.stderr.strip()[-500:]}") from error
    if "error" in found:
        raise BadSegment(found["error"])
    difference = found["difference"]
    return Replayed(
        invoice=found["invoice"],
        number=found["number"],
        digest=found["digest"],
        booked=found["booked"],
        body=found["body"],
        problems=tuple(found["problems"]),
        difference=None if difference is None else (difference[0], difference[1]),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSegment(f"{path} cannot be read: {error}") from error
