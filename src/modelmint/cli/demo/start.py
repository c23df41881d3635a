"""What a demo begins with: the venture's files, and the data where it needs any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modelmint.data.fetch import PNEUMONIAMNIST, PublishedFile, check, fetch
from modelmint.kit.progress import Progress
from modelmint.solutions import templates

#: Solution -> the published file that its demo is made for; None where it needs none.
DEMOS: dict[str, PublishedFile | None] = {"digits": None, "chest-xray": PNEUMONIAMNIST}


@dataclass(frozen=True)
class Start:
    """Which demo, and what the caller says otherwise."""

    solution: str
    #: The published file, where it is here already.
    data: Path | None = None
    #: Instead of what the model's settings choose: fewer are quicker and worse.
    epochs: int | None = None

    def answers(self, folder: Path, progress: Progress) -> dict[str, str]:
        """The template's questions about data, answered; fetches what is not here.

        Raises ``DownloadFailed``, ``WrongDownload``.
        """
        wanted = DEMOS[self.solution]
        if wanted is None:
            return {}
        found = fetch(wanted, folder / "data", progress) if self.data is None else check(self.data.resolve(), wanted)
        return {"source": found.relative_to(folder).as_posix() if found.is_relative_to(folder) else found.as_posix()}

    def files(self, answers: Mapping[str, str]) -> dict[str, str]:
        """The venture's files, path -> text."""
        files = templates.render(self.solution, self.solution, **answers)
        if self.epochs is not None:
            text = files["venture.toml"]
            files["venture.toml"] = text.replace("[model]\n", f"[model]\nepochs = {self.epochs}\n", 1)
        return files
