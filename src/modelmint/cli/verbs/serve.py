"""placeholder."""

import typer


def serve(ctx: typer.Context) -> None:
    """Later."""
