"""Reading ``venture.toml``: every problem at once, each with its line and what was probably meant."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from modelmint.kit.registry import nearest
from modelmint.venture.errors import InvalidVenture, VentureNotFound
from modelmint.venture.lines import key_lines, line_of
from modelmint.venture.messages import Fault, faults
from modelmint.venture.names import BUILT_IN, names, not_available
from modelmint.venture.schema import VentureFile
from modelmint.venture.sections.model import is_own
from modelmint.venture.syntax import parse
from modelmint.venture.types import KeyPath, Problem

FILE_NAME = "venture.toml"
_LARGEST = 1 << 20
#: Stand in for required values that are missing or wrong, so that the rest can still be judged.
_STAND_INS: dict[KeyPath, Any] = {
    ("venture",): {"name": "unnamed"},
    ("venture", "name"): "unnamed",
    ("data",): {"source": "unknown"},
}
_MOST_PASSES = 20


@dataclass(frozen=True, slots=True)
class LoadedVenture:
    """A venture file that holds no problem, and where it lies."""

    file: VentureFile
    path: Path
    #: The folder that relative paths in the file start from.
    folder: Path
    text: str


def load_venture(path: Path) -> LoadedVenture:
    """Read ``path``, a ``venture.toml`` or the folder that holds one.

    Raises ``VentureNotFound``, or ``InvalidVenture`` with every problem in the order of the lines.
    """
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise VentureNotFound(
            f"expected a {FILE_NAME} at {file}, found none. "
            "Do: modelmint new NAME --solution image-screening, or point -C at the folder that holds one"
        )
    return read_venture(file_text(file), file)


def read_venture(text: str, file: Path) -> LoadedVenture:
    """``text`` as if it stood in ``file``, which need not exist; raises ``InvalidVenture``."""
    document, problems, readable = parse(text)
    problems += _judged(document, readable, file.resolve().parent, salvaged=bool(problems))
    if problems:
        raise InvalidVenture(file, sorted(problems, key=lambda problem: (problem.line, problem.path)))
    return LoadedVenture(VentureFile.model_validate(document), file, file.parent, text)


def file_text(file: Path) -> str:
    """What stands in the file; raises ``InvalidVenture`` where it cannot be read as UTF-8 text."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidVenture(file, [Problem(1, "", f"the file cannot be read: {error.strerror}")]) from error
    if len(content) > _LARGEST:
        found = f"{len(content) / 2**20:.1f} MiB"
        raise InvalidVenture(file, [Problem(1, "", f"expected a file of at most 1 MiB, found {found}")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidVenture(file, [Problem(line, "", "expected UTF-8 text; save the file as UTF-8")]) from error


def _judged(document: dict[str, Any], text: str, folder: Path, *, salvaged: bool) -> list[Problem]:
    """What is wrong with the values. Of a ``salvaged`` document nothing is said to be missing or unfitting."""
    if salvaged and not document:
        return []
    lines = key_lines(text)
    found = [*against_schema(document), *_against_names(document, folder)]
    return [
        Problem(line_of(fault.path, lines), dotted(fault.path), fault.message, fault.suggestion)
        for fault in found
        if not (salvaged and (fault.is_missing or fault.is_incoherent))
    ]


def against_schema(document: dict[str, Any]) -> list[Fault]:
    """Findings of repeated validation: faulty values are set aside each time, so that the checks which need
    whole sections run as well, on what is left.
    """
    kept: list[Fault] = []
    aside: set[KeyPath] = set()
    rest = copy.deepcopy(document)
    for _ in range(_MOST_PASSES):
        try:
            VentureFile.model_validate(rest)
            break
        except ValidationError as error:
            new = list(faults(error.errors(include_url=False), rest, VentureFile))
        kept += [fault for fault in new if not _is_void(fault, aside)]
        changed = {_set_aside(rest, fault.path) for fault in new} - {()}
        aside.update(changed, (fault.path for fault in new))
        if not changed:
            break
    return kept


def _is_void(fault: Fault, aside: set[KeyPath]) -> bool:
    """Whether it only follows from a value that was set aside."""
    inside = any(fault.path[: len(path)] == path for path in aside)
    return inside or any(
        need[: len(path)] == path or path[: len(need)] == need for need in fault.needs for path in aside
    )


def _set_aside(document: dict[str, Any], path: KeyPath) -> KeyPath:
    """Take the value at ``path`` out, or put a stand-in there; the path of what was changed, ``()`` for nothing.

    Where it is missing, or is an item of a list (the places of the others must stay), what holds it goes.
    """
    if not path:
        return ()
    holder: Any = document
    for part in path[:-1]:
        if not _has(holder, part):
            return ()  # gone with an earlier one
        holder = holder[part]
    if path in _STAND_INS:
        if _value(document, path) == _STAND_INS[path]:
            return ()
        holder[path[-1]] = copy.deepcopy(_STAND_INS[path])
    elif isinstance(holder, dict) and path[-1] in holder:
        del holder[path[-1]]
    else:
        return _set_aside(document, path[:-1])
    return path


def _has(holder: Any, part: str | int) -> bool:
    if isinstance(holder, list):
        return isinstance(part, int) and part < len(holder)
    return isinstance(holder, Mapping) and part in holder


def _against_names(document: Mapping[str, Any], folder: Path) -> Iterator[Fault]:
    """Names that other floors give meaning to: solutions, readers, backbones."""
    yield from _unknown(document, ("venture", "solution"), "solution")
    yield from _unknown(document, ("data", "format"), "reader")
    models = document.get("models")
    several = [("models", name) for name in models] if isinstance(models, Mapping) else []
    for section in (("model",), *several):
        base = _value(document, (*section, "base"))
        if isinstance(base, str) and not _is_place(base, folder):
            yield from _unknown(
                document, (*section, "base"), "backbone", ", a folder, an .onnx file or a hub id like owner/model"
            )


def _is_place(base: str, folder: Path) -> bool:
    """Whether ``base`` is a path or a hub id rather than a catalogue name."""
    try:
        return is_own(base) or "/" in base or "\\" in base or (base not in ("", ".") and (folder / base).exists())
    except (OSError, ValueError):  # a name too long, or with a null character
        return False


def _unknown(document: Mapping[str, Any], path: tuple[str, ...], kind: str, also: str = "") -> Iterator[Fault]:
    value = _value(document, path)
    if not isinstance(value, str) or value in BUILT_IN[kind]:
        return  # what is built in needs no look through everything installed, which costs more than all the rest
    known = names(kind)
    if value in known:
        return
    if not_available(path, value):
        yield Fault(path, f'"{value}" is not available in this version; available: {", ".join(known)}{also}')
    else:
        yield Fault(path, f"expected {', '.join(known)}{also}; found {value[:60]!r}", nearest(value, known))


def _value(document: Mapping[str, Any], path: KeyPath) -> Any:
    here: Any = document
    for part in path:
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def dotted(path: KeyPath) -> str:
    """A path as people write it: ``plans.payg.charges[0].price``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"
