"""A plan from a table as it stands in the venture file, sent by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from modelmint.commerce.catalog import effective_dates, plans_from
from modelmint.commerce.errors import BadPlan
from modelmint.commerce.types import Plan
from modelmint.venture.plan_tables import judged


def plan_from(name: str, table: Mapping[str, Any]) -> tuple[Plan, datetime | None]:
    """The plan, and since when it is to be on sale; raises ``BadPlan`` with all that is wrong with it."""
    sections, faults = judged({name: dict(table)})
    if faults:
        problems = []
        for fault in faults:
            where = ".".join(str(part) for part in fault.path[2:])
            hint = f"; did you mean {fault.suggestion!r}?" if fault.suggestion else ""
            problems.append(f"{where}: {fault.message}{hint}" if where else f"{fault.message}{hint}")
        raise BadPlan(f"the plan {name[:80]!r} cannot be sold as written; correct what is named", problems=problems)
    return plans_from(sections)[0], effective_dates(sections).get(name)
