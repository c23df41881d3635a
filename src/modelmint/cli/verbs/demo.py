"""placeholder."""

import typer


def demo(ctx: typer.Context) -> None:
    """Later."""
