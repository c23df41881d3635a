"""Everything a verb says. Answers go to stdout, one JSON object with ``--json``; the rest goes to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from modelmint.cli.types import GlobalOptions, TableView
from modelmint.kit.canonical import plain as plain_json
from modelmint.kit.errors import ModelmintError

if TYPE_CHECKING:
    from rich.console import Console

    from modelmint.kit.progress import Progress

#: Width where the output is no terminal; a terminal says its own.
PIPED_WIDTH = 132


class Output:
    """Where answers, errors and progress go; made once per command by ``main``."""

    def __init__(self, options: GlobalOptions, answers: TextIO | None = None) -> None:
        self.options = options
        self.answered = False
        self._answers = answers or sys.stdout

    @cached_property
    def console(self) -> Console:
        """For people, on stdout. Colour only on a terminal without NO_COLOR and without ``--plain``."""
        return self._console(self._answers)

    @cached_property
    def aside(self) -> Console:
        """For people, on stderr: progress, notes, errors."""
        return self._console(sys.stderr)

    @cached_property
    def progress(self) -> Progress:
        """Bars on a terminal, plain lines elsewhere, nothing with ``--quiet``."""
        from modelmint.sdk import progress

        if self.options.quiet:
            return progress.Silent()
        live = self.aside.is_terminal and not self.options.plain
        return progress.RichProgress(self.aside) if live else progress.PlainProgress(sys.stderr)

    def answer(self, payload: Mapping[str, Any], show: Callable[[Output], None]) -> None:
        """The one answer of a verb: ``payload`` as JSON, or ``show`` for people."""
        self.answered = True
        if self.options.json:
            self.print_json(payload)
        else:
            show(self)

    def print_json(self, payload: Mapping[str, Any]) -> None:
        """One object, one line; NaN and infinities become null, since JSON has neither."""
        self._answers.write(json.dumps(_finite(plain_json(payload)), ensure_ascii=False, allow_nan=False) + "\n")
        self._answers.flush()

    def say(self, text: str = "", style: str | None = None) -> None:
        """A line of the answer; the text is never read as markup."""
        self.console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line beside the answer, on stderr, unless ``--quiet``."""
        if not self.options.quiet:
            self.aside.print(text, markup=False, highlight=False, soft_wrap=True)

    def table(self, view: TableView) -> None:
        """A table for people."""
        from modelmint.sdk.tables import plain_text, rich_table

        if self.options.plain:
            self.say(plain_text(view))
            return
        if view.title:
            self.say(view.title, style="bold")
        self.console.print(rich_table(view))
        if view.note:
            self.say(view.note, style="dim")

    def error(self, code: str, message: str, error: ModelmintError | None = None) -> None:
        """A failure: one red line, every problem, on stderr; with ``--json`` the error object on stdout."""
        problems = list(error.problems) if error else []
        if self.options.json:
            if self.answered:  # the one object is out already; what follows can only be told on stderr
                sys.stderr.write(f"{code}: {message}\n")
                return
            self.answered = True
            details = dict(error.details) if error else {}
            body: dict[str, Any] = {"code": code, "message": message, "problems": problems, "details": details}
            if error is not None and error.retry_after is not None:
                body["retry_after"] = error.retry_after
            self.print_json({"error": body})
            return
        first, _, below = message.partition("\n")
        self.aside.print(first, style="bold red", markup=False, highlight=False, soft_wrap=True)
        if below:
            self.aside.print(below, markup=False, highlight=False, soft_wrap=True)
        for problem in problems:
            self.aside.print(f"  - {problem}", markup=False, highlight=False, soft_wrap=True)

    def _console(self, file: TextIO) -> Console:
        from rich.console import Console

        bare = self.options.plain or "NO_COLOR" in os.environ
        terminal = file.isatty()
        return Console(
            file=file,
            no_color=bare or None,
            force_terminal=terminal and not self.options.plain,
            width=None if terminal else PIPED_WIDTH,
            highlight=False,
        )


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


@contextmanager
def guarded_stdout(json_wanted: bool) -> Iterator[TextIO]:
    """The stream for answers. With ``--json`` file descriptor 1 is pointed at stderr meanwhile.

    So that neither a library's print nor a child process can slip a second thing onto stdout.
    """
    if not json_wanted:
        yield sys.stdout
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    former, sys.stdout = sys.stdout, sys.stderr
    try:
        with os.fdopen(os.dup(kept), "w", encoding="utf-8") as answers:
            yield answers
    finally:
        sys.stdout = former
        os.dup2(kept, 1)
        os.close(kept)
