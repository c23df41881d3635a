"""The founder's file with all its problems, and whether its data can be reached and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from modelmint.cli.types import Check
from modelmint.data.types import SPLITS, RawData
from modelmint.kit.errors import MissingExtra, ModelmintError
from modelmint.venture.errors import InvalidVenture, VentureNotFound
from modelmint.venture.load import LoadedVenture, load_venture

#: Fewer rows than this, all splits together, earn a warning.
FEW_ROWS = 200


def check_venture(folder: Path) -> Iterator[Check]:
    """One row per problem in the file; where it has none, rows about the data."""
    try:
        venture = load_venture(folder)
    except VentureNotFound:
        todo = "make one: modelmint new NAME --solution image-screening"
        yield Check("venture", "file", "warn", f"no venture.toml in {folder}", todo)
        return
    except InvalidVenture as error:
        for problem in error.problems:
            yield Check("venture", "file", "bad", problem, "mend that line")
        return
    todo = "" if venture.file.plans else "add [plans.NAME]"
    plans = ", ".join(venture.file.plans) or "none, so nothing can be sold"
    yield Check("venture", "file", "ok", f"{venture.file.venture.name}: {venture.path}")
    yield Check("venture", "plans", "ok" if venture.file.plans else "warn", plans, todo)
    yield from _charges(venture)
    yield from _data(venture)


def _charges(venture: LoadedVenture) -> Iterator[Check]:
    """What charges ask for and nothing here has; the books are read where there are some, and left as they are."""
    from modelmint.bootstrap import WORKSPACE, served_in
    from modelmint.commerce.catalog import plans_from
    from modelmint.operations.plan_hints import plan_hints
    from modelmint.releases.shelf import Shelf

    folder = venture.folder
    shelf = Shelf(folder / WORKSPACE / "releases")
    for hint in plan_hints(plans_from(venture.file.plans), venture, shelf, served_in(folder)):
        yield Check("venture", "charges", "warn", hint, "mend [plans] in venture.toml, unless it is meant")


def _data(venture: LoadedVenture) -> Iterator[Check]:
    """Names and labels only; no picture is decoded here."""
    from modelmint.data.sources import read_all

    try:
        found = read_all(venture.file.data, venture.folder)
    except MissingExtra as error:
        yield Check("data", "source", "warn", "needs an extra to be read", error.message)
        return
    except ModelmintError as error:
        yield Check("data", "source", "bad", str(error), "mend [data] in venture.toml, or put the data there")
        return
    yield from _counts(venture, found)


def _counts(venture: LoadedVenture, found: RawData) -> Iterator[Check]:
    rows, labels = len(found.rows), Counter(row.label for row in found.rows)
    wanted = venture.file.data.labels or list(found.labels)
    splits = Counter(row.split for row in found.rows)
    shown = ", ".join(f"{splits[split]:,} {split}" for split in SPLITS if splits[split]) or "splits will be made"
    if rows == 0:
        yield Check("data", "rows", "bad", "none", "put labelled pictures where [data] says")
        return
    few = rows < FEW_ROWS
    todo = "few rows make wide intervals; gates may fail for that alone" if few else ""
    yield Check("data", "rows", "warn" if few else "ok", f"{rows:,} rows; {shown}", todo)
    counted = ", ".join(f"{label} {labels[label]:,}" for label in wanted) or "none named"
    strange = sorted(str(label) for label in labels if label not in wanted)
    empty = [label for label in wanted if labels[label] == 0]
    if empty:
        yield Check("data", "labels", "bad", counted, f"no row has: {', '.join(empty)}")
    elif strange:
        yield Check("data", "labels", "warn", counted, f"rows labelled {', '.join(strange)} will be left out")
    else:
        yield Check("data", "labels", "ok", counted)
    if found.findings:
        kinds = Counter(finding.kind for finding in found.findings)
        told = ", ".join(f"{kind} {number:,}" for kind, number in kinds.items())
        yield Check("data", "findings", "warn", told, "after a build: modelmint data findings")
