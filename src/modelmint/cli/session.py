"""What a verb is handed: the global options, the output, the folder, and ways to open what lies there."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelmint.cli.errors import NoVentureHere
from modelmint.cli.output import Output
from modelmint.cli.types import GlobalOptions

if TYPE_CHECKING:
    import typer

    from modelmint.bootstrap import Shop
    from modelmint.sdk.venture import Venture
    from modelmint.venture.load import LoadedVenture


class Session:
    """One command. Opens nothing until it is asked."""

    def __init__(self, options: GlobalOptions, out: Output) -> None:
        self.options = options
        self.out = out
        self._shop: Shop | None = None

    @property
    def root(self) -> Path:
        """The folder of the venture, absolute."""
        return Path(self.options.folder).expanduser().resolve()

    @cached_property
    def workspace(self) -> Path:
        """``.modelmint/`` beside the venture file; not made here."""
        return self.root / ".modelmint"

    def found_workspace(self) -> Path:
        """The workspace, made where there is none; for its owner only, since it comes to hold customers' data."""
        self.workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.workspace

    @cached_property
    def venture(self) -> LoadedVenture:
        """The venture file; raises all its problems at once."""
        from modelmint.venture.load import load_venture

        return load_venture(self.root)

    @cached_property
    def opened(self) -> Venture:
        """The venture as a Python program has it; what a verb shows it asks there."""
        from modelmint.sdk.venture import Venture

        return Venture(self.root, self.out.progress)

    @property
    def shop(self) -> Shop:
        """Books, shelf and deployments of this folder; closed when the command ends."""
        if self._shop is None:
            self._must_be_a_venture()
            from modelmint.bootstrap import open_shop

            self._shop = open_shop(self.root)
        return self._shop

    @property
    def books_url(self) -> str:
        """The database of this folder; nothing is opened or made."""
        self._must_be_a_venture()
        from modelmint.bootstrap import books_url

        return books_url(self.root)

    def _must_be_a_venture(self) -> None:
        """Looking into a wrong folder must not found a shop there."""
        if not (self.root / "venture.toml").exists() and not self.workspace.is_dir():
            raise NoVentureHere(
                f"expected a venture.toml or a workspace in {self.root}, found neither. "
                "Go to the venture's folder, name it with -C DIR, or make one: modelmint new NAME"
            )

    def close(self) -> None:
        """Close what was opened."""
        if self._shop is not None:
            self._shop.books.close()
            self._shop = None

    def hint(self, verb: str) -> str:
        """``modelmint -C folder verb`` as the user would type it from where they are."""
        folder = self.options.folder
        return f"modelmint {verb}" if folder == "." else f"modelmint -C {folder} {verb}"


def session_of(ctx: typer.Context) -> Session:
    """The session that ``main`` put into the context."""
    return cast("Session", ctx.obj)
