"""What each public name serves, and served before."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from modelmint.commerce.moments import moment
from modelmint.commerce.types import Deployment
from modelmint.store.history import note
from modelmint.store.schema import deployments


def deploy(connection: Connection, deployment: Deployment, now: int) -> None:
    """One more row; the newest of a name counts."""
    connection.execute(
        deployments.insert().values(
            name=deployment.name,
            release=deployment.release,
            model=deployment.model,
            variant=deployment.variant,
            at=now,
        )
    )
    data = {"release": deployment.release, "model": deployment.model, "variant": deployment.variant}
    note(connection, "deployment.made", deployment.name, now, data)


def current(connection: Connection) -> list[Deployment]:
    """The newest of each public name, by name."""
    newest = select(func.max(deployments.c.seq)).group_by(deployments.c.name)
    query = select(deployments).where(deployments.c.seq.in_(newest)).order_by(deployments.c.name)
    return [_deployment(row) for row in connection.execute(query).mappings()]


def history(connection: Connection, name: str) -> list[Deployment]:
    """Oldest first."""
    query = select(deployments).where(deployments.c.name == name).order_by(deployments.c.seq)
    return [_deployment(row) for row in connection.execute(query).mappings()]


def _deployment(row: Any) -> Deployment:
    return Deployment(row["name"], row["release"], row["model"], row["variant"], moment(row["at"]))
