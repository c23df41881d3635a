"""How long work is drawn: bars with time left on a terminal, a line now and then elsewhere. Always stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from modelmint.kit.progress import Bar, Silent, figures_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Live
    from rich.progress import TaskID

__all__ = ["PlainProgress", "RichProgress", "Silent"]


class _RichBar:
    def __init__(self, live: Live, task: TaskID) -> None:
        self._live = live
        self._task = task

    def advance(self, by: int = 1, **figures: float | str) -> None:
        if figures:
            self._live.update(self._task, advance=by, figures=figures_line(figures))
        else:
            self._live.update(self._task, advance=by)


class RichProgress:
    """Steps as lines, running work as bars with loss, metric and time left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._open = 0

    def step(self, name: str, *, cached: bool = False) -> None:
        self._print(f"{name}  (unchanged, taken from the cache)" if cached else name, "dim" if cached else "bold")

    def note(self, text: str) -> None:
        self._print(f"  {text}", None)

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        live = self._live or self._start()
        self._open += 1
        task = live.add_task(title, total=total, figures="")
        try:
            yield _RichBar(live, task)
        finally:
            self._open -= 1
            live.stop_task(task)
            if self._open == 0:
                live.stop()
                self._live = None

    def _start(self) -> Live:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._live = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            console=self._console,
        )
        self._live.start()
        return self._live

    def _print(self, text: str, style: str | None) -> None:
        (self._live.console if self._live else self._console).print(text, style=style, markup=False, soft_wrap=True)


class _PlainBar:
    def __init__(self, file: TextIO, title: str, total: int, every: float) -> None:
        self._file = file
        self._title = title
        self._total = total
        self._every = every
        self._done = 0
        self._began = self._told = time.monotonic()

    def advance(self, by: int = 1, **figures: float | str) -> None:
        self._done += by
        now = time.monotonic()
        if now - self._told < self._every or self._done == 0:
            return
        self._told = now
        left = (now - self._began) / self._done * max(self._total - self._done, 0)
        tail = figures_line(figures)
        self._file.write(f"  {self._title} {self._done}/{self._total}, about {left:.0f} s left  {tail}".rstrip() + "\n")
        self._file.flush()


class PlainProgress:
    """Lines without colour or control characters; a bar speaks at most every ``every`` seconds."""

    def __init__(self, file: TextIO, every: float = 10.0) -> None:
        self._file = file
        self._every = every

    def step(self, name: str, *, cached: bool = False) -> None:
        self._write(f"{name} (unchanged)" if cached else name)

    def note(self, text: str) -> None:
        self._write(f"  {text}")

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        yield _PlainBar(self._file, title, total, self._every)

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()
