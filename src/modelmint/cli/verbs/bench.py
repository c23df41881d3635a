"""placeholder."""

import typer


def bench(ctx: typer.Context) -> None:
    """Later."""
