"""Build steps by digest: what was done with the same inputs is not done again."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from modelmint.kit.canonical import pretty_json
from modelmint.kit.digest import digest_file, digest_package, digest_value
from modelmint.kit.files import atomic_folder, write_atomic
from modelmint.kit.progress import Progress
from modelmint.workshop.errors import BuildRunning

RECORD = "step.json"
_HOUSE = Path(__file__).resolve().parents[1]
#: Bytes up to which a file's content is checked on every build; of larger ones (pictures, weights) only the size:
#: their readers check the content by digests of their own.
_HASHED = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Done:
    """A finished step: its folder, the digest that names it, how long it took when it ran, and its own facts."""

    folder: Path
    digest: str
    seconds: float
    cached: bool
    facts: Mapping[str, Any]


class StepCache:
    """``ROOT/<step>/<digest>/``, written all or nothing, with ``step.json`` beside the step's own files."""

    def __init__(self, root: Path, progress: Progress) -> None:
        self.root = root
        self.progress = progress

    def run(self, step: str, inputs: Mapping[str, Any], work: Callable[[Path, str], Mapping[str, Any]]) -> Done:
        """The folder of ``step`` for ``inputs``; ``work(folder, digest)`` fills it where it does not exist yet.

        What ``work`` returns (plain JSON) is kept as the step's facts. A folder that lost a file, or holds another
        one than was written, is made again.
        """
        digest = digest_value([step, inputs])
        final = self.root / step / digest
        known = _recorded(final)
        if isinstance(known, dict):
            self.progress.step(step, cached=True)
            return Done(final, digest, known["seconds"], True, known["facts"])
        self.progress.step(step)
        if known is not None:
            self.progress.note(f"{step} is done again: {known}")
        shutil.rmtree(final, ignore_errors=True)
        started = time.monotonic()
        with atomic_folder(final) as folder:
            facts = work(folder, digest)
            seconds = round(time.monotonic() - started, 3)
            files = {item.relative_to(folder).as_posix(): _stamp(item) for item in folder.rglob("*") if item.is_file()}
            record = {"step": step, "inputs": inputs, "seconds": seconds, "facts": facts, "files": files}
            (folder / RECORD).write_text(pretty_json(record), encoding="utf-8")
        return Done(final, digest, seconds, False, facts)

    def scratch(self, step: str, digest: str) -> Path:
        """A folder for the unfinished work of a step; stays over interruptions."""
        return self.root / ".scratch" / step / digest

    def clean(self, step: str, digest: str) -> None:
        """Remove a step's scratch folder, once the step is done."""
        shutil.rmtree(self.scratch(step, digest), ignore_errors=True)

    def sweep(self) -> None:
        """Remove what interrupted builds left half written; only under the workspace's lock."""
        for leftover in self.root.glob("*/.*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)


def _stamp(file: Path) -> list[Any]:
    size = file.stat().st_size
    return [size, digest_file(file) if size <= _HASHED else None]


def _recorded(folder: Path) -> dict[str, Any] | str | None:
    """The step's record; what is wrong with its folder; None where there is none."""
    if not folder.exists():
        return None
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        for name, stamp in record["files"].items():
            if not (folder / name).is_file():
                return f"{name} is gone"
            if _stamp(folder / name) != stamp:
                return f"{name} is not as it was written"
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return f"{RECORD} cannot be read"
    return record if {"seconds", "facts"} <= set(record) else f"{RECORD} is not whole"


def source_digest(*parts: str) -> str:
    """Digest of source files of ours, named from ``modelmint/``: packages or single files."""
    return digest_package(*(_HOUSE / part for part in parts))


def versions(*distributions: str) -> dict[str, str | None]:
    """Installed versions, None for what is not installed; nothing is imported for it."""
    found: dict[str, str | None] = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


@contextmanager
def build_lock(workspace: Path) -> Iterator[None]:
    """Hold the workspace for one build; raises ``BuildRunning`` with the other's process id.

    The system drops the lock when the process dies, however it dies.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    path = workspace / "build.lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "unknown"
            raise BuildRunning(
                f"another build (process {pid}) works in {workspace}; wait for it or stop it, then build again",
                details={"pid": pid},
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def remember(path: Path, content: Mapping[str, Any]) -> None:
    """Write a small JSON file, whole or not at all."""
    write_atomic(path, pretty_json(content))
