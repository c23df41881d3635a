"""``modelmint releases import model.onnx``: a model made elsewhere becomes a release, judged like any other."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from modelmint.cli.errors import BadUsage, FileInTheWay

if TYPE_CHECKING:
    from modelmint.cli.session import Session
    from modelmint.venture.edit import Value

TASKS = ("image-classification",)
#: Where a graph from outside the venture's folder is copied to, below it.
_PLACE = "models"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said beside the path; None: not said."""

    task: str
    data: str | None = None
    labels: str | None = None
    model: str | None = None
    layout: str | None = None
    scale: str | None = None
    image_size: int | None = None
    licence: str | None = None

    def given(self) -> list[str]:
        """The options that were typed, as they are typed; the task has a default."""
        said = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "task"}
        return [f"--{name.replace('_', '-')}" for name, value in said.items() if value is not None]


def import_graph(session: Session, path: Path, wishes: Wishes) -> None:
    """Make the graph at ``path`` the venture's model and build it; with ``--data`` a new venture is begun.

    Nothing is released that was not judged: without labelled pictures this is refused. The file is written only
    where all of it is in order afterwards. Raises ``BadUsage``, ``FileInTheWay``, ``InvalidVenture``,
    ``VentureNotEdited``, and what ``build`` raises.
    """
    from modelmint.cli.views.reports import say_build
    from modelmint.kit.files import write_atomic
    from modelmint.sdk.building import graph_files
    from modelmint.venture.load import FILE_NAME, read_venture

    if wishes.task not in TASKS:
        raise BadUsage(f"--task: expected {', '.join(TASKS)}; found {wishes.task!r}")
    if not path.is_file():
        raise BadUsage(f"expected an ONNX file at {path}, found none")
    files = graph_files(path)
    file = session.root / FILE_NAME
    place = _place(session.root, path)
    text = _edited(session, file, place.relative_to(session.root.resolve()).as_posix(), wishes)
    read_venture(text, file)
    _copy(path, place, files)
    write_atomic(file, text)
    session.out.progress.note(f"{file} now says base = {place.relative_to(session.root.resolve()).as_posix()!r}")
    report = session.opened.build().to_json()
    following = [session.hint("deploy"), session.hint("serve")]
    session.out.answer(report, lambda out: say_build(out, report, following))


def _place(root: Path, path: Path) -> Path:
    """Where the graph will lie: where it is, if that is in the venture's folder, else below it."""
    found, folder = path.resolve(), root.resolve()
    return found if found.is_relative_to(folder) else folder / _PLACE / path.name


def _copy(path: Path, place: Path, files: Sequence[str]) -> None:
    """The graph and the files of weights that it names, into the venture; what is there already stays."""
    from modelmint.kit.digest import digest_file

    if path.resolve() == place:
        return
    taken = [
        name for name in files
        if (place.parent / name).exists() and digest_file(place.parent / name) != digest_file(path.parent / name)
    ]  # fmt: skip
    if taken:
        raise FileInTheWay(
            f"{place.parent} holds another {', '.join(taken)} already, and nothing is overwritten. "
            "Do: move it away, or give the new one another name"
        )
    for name in files:
        target = place.parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copyfile(path.parent / name, target)


def _edited(session: Session, file: Path, base: str, wishes: Wishes) -> str:
    """The venture's text with the graph as its model."""
    from modelmint.venture.edit import with_keys
    from modelmint.venture.load import file_text, load_venture
    from modelmint.venture.sections.model import OWN_KEYS, TRAINING_KEYS

    if file.exists():
        if wishes.data is not None:
            raise BadUsage(f"{file} names its data already; --data is for a folder without one")
        text, table = file_text(file), _table(list(load_venture(file).file.models), wishes.model)
    else:
        text, table = _begun(session, wishes), ("model",)
    if wishes.labels is not None:
        text = with_keys(text, ("data",), {"labels": [label.strip() for label in wishes.labels.split(",")]})
    stated: dict[str, Value | None] = {
        "base": base, "layout": wishes.layout, "scale": wishes.scale, "image_size": wishes.image_size,
        "licence": wishes.licence,
    }  # fmt: skip
    values = {key: value for key, value in stated.items() if value is not None}
    # What was said of the model before speaks of another one, unless it is this very graph.
    same = _base(file, table) == base
    old = () if same else (*TRAINING_KEYS, *OWN_KEYS, "image_size")
    return with_keys(text, table, values, [key for key in old if key not in values])


def _base(file: Path, table: tuple[str, ...]) -> str | None:
    """The base that the file names now; None where there is no file."""
    from modelmint.venture.load import load_venture

    if not file.exists():
        return None
    models = load_venture(file).file.all_models()
    section = models.get(table[-1]) if len(table) > 1 else next(iter(models.values()))
    return None if section is None else section.base


def _table(models: Sequence[str], wanted: str | None) -> tuple[str, ...]:
    if not models:
        if wanted is not None:
            raise BadUsage("--model is for a venture with several models, [models.NAME]; this one has [model]")
        return ("model",)
    if wanted is None:
        raise BadUsage(f"this venture has several models: {', '.join(models)}. Do: say which with --model NAME")
    return ("models", wanted)


def _begun(session: Session, wishes: Wishes) -> str:
    """The text of a new venture; raises ``BadUsage`` where nothing is there to judge the graph by."""
    from modelmint.cli.verbs.new import as_seen_from
    from modelmint.solutions.templates import render

    if wishes.data is None:
        raise BadUsage(
            f"a model is released once it was judged, and {session.root} has no venture.toml that names labelled "
            "pictures. Do: add --data PICTURES (a folder per label, an .npz, a list) and --labels where the model's "
            f"outputs have another order than the data; or begin with {session.hint('new NAME --data PICTURES')}"
        )
    if not wishes.data.startswith("sklearn:") and not Path(wishes.data).expanduser().exists():
        raise BadUsage(f"--data: there is nothing at {Path(wishes.data).expanduser().absolute()}; nothing was begun")
    name = re.sub(r"[^a-z0-9]+", "-", session.root.name.lower()).strip("-")[:63] or "venture"
    answers = {"source": as_seen_from(session.root, wishes.data)}
    return render("image-screening", name, **answers)["venture.toml"]
