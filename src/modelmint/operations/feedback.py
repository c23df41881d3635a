"""Feedback as the surfaces take it: checked against the release that answered, stored, exported."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from modelmint.commerce.repository import Books
from modelmint.kit.canonical import plain
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import ModelmintError
from modelmint.kit.files import write_atomic
from modelmint.monitoring.feedback.errors import BadFeedback
from modelmint.monitoring.feedback.repository import FeedbackBooks
from modelmint.monitoring.feedback.types import LONGEST_COMMENT, THUMBS, Feedback, Predicted, Said
from modelmint.monitoring.inputs.folder import InputFolder
from modelmint.releases.shelf import Shelf

_LONGEST_LABEL = 200
#: Where inputs lie whose truth nobody told.
UNLABELLED = "_unlabelled"
#: Bytes of a folder's name that every disk takes, and characters that are kept of a longer one.
_LONGEST_FOLDER, _BEGINNING = 200, 40


def give(
    books: Books,
    feedback: FeedbackBooks,
    shelf: Shelf,
    customer: str,
    prediction: str,
    said: Said,
    *,
    key: str = "",
    idempotency_key: str | None = None,
) -> tuple[Feedback, bool]:
    """Store what ``customer`` says of one of its predictions: the row, and False where it was there before.

    Raises ``UnknownPrediction``, ``BadFeedback`` with every problem, ``FeedbackConflict``.
    """
    found = feedback.predicted(prediction, customer)
    labels = labels_of(books, shelf, found[0])
    problems = _problems(said, labels)
    if len(found) > 1:
        problems.insert(0, f"this call had {len(found)} inputs: name one of {found[0].name} to {found[-1].name}")
    if problems:
        raise BadFeedback("this feedback cannot be kept", problems=problems)
    one = found[0]
    answer = None if one.label is None or one.label >= len(labels) else labels[one.label]
    return feedback.add(one, said, answer=answer, key=key, idempotency_key=idempotency_key)


def labels_of(books: Books, shelf: Shelf, predicted: Predicted) -> tuple[str, ...]:
    """The labels that the release could answer with; empty where it is not here any more."""
    try:
        models = shelf.get(predicted.release).manifest.models if predicted.release else {}
    except ModelmintError:
        return ()
    if len(models) == 1:
        return next(iter(models.values())).spec.labels
    names = {row.model for row in books.deployment_history(predicted.model) if row.release == predicted.release}
    return next((models[name].spec.labels for name in sorted(names) if name in models), ())


def _problems(said: Said, labels: tuple[str, ...]) -> list[str]:
    problems = []
    if said.truth is None and said.thumbs is None:
        problems.append("expected 'truth' (the right label) or 'thumbs' (\"up\" or \"down\"), found neither")
    if said.truth is not None:
        if labels and said.truth not in labels:
            problems.append(f"expected 'truth' as one of {', '.join(labels)}; found {said.truth[:80]!r}")
        elif not 0 < len(said.truth) <= _LONGEST_LABEL or not _is_text(said.truth, ""):
            problems.append(f"expected 'truth' as a text of 1 to {_LONGEST_LABEL} characters on one line")
    if said.thumbs is not None and said.thumbs not in THUMBS:
        problems.append(f'expected \'thumbs\' as "up" or "down", found {said.thumbs[:80]!r}')
    if len(said.comment) > LONGEST_COMMENT or not _is_text(said.comment, "\n\r\t"):
        problems.append(
            f"expected 'comment' as a text of at most {LONGEST_COMMENT} characters without control characters"
        )
    return problems


def _is_text(text: str, also: str) -> bool:
    return all(unicodedata.category(sign) not in ("Cc", "Cs") or sign in also for sign in text)


def export_inputs(feedback: FeedbackBooks, inputs: InputFolder, folder: Path) -> Iterator[tuple[str, str]]:
    """Write stored inputs below ``folder``, one folder for each truth, as a dataset is read; yields (truth, file).

    Beside them ``feedback.jsonl`` names each one's prediction, answer and truth. Inputs whose truth is not known lie in
    ``_unlabelled``.
    """
    told: dict[str, Feedback] = {}
    for row in feedback.all():
        if row.truth is not None:
            told[row.prediction] = row  # the newest counts
    lines = []
    for kept in inputs.all():
        one = inputs.get(kept)
        about = told.get(kept.prediction)
        truth = _safe(about.truth) if about and about.truth else UNLABELLED
        name = f"{kept.prediction}{_ending(one.content)}"
        place = folder / truth / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(place, one.content, mode=0o600)
        lines.append(
            {
                "file": f"{truth}/{name}",
                "prediction": kept.prediction,
                "customer": kept.customer,
                "model": one.model,
                "release": one.release,
                "day": kept.day,
                "truth": about.truth if about else None,
                "answer": about.answer if about else None,
            }
        )
        yield truth, name
    text = "".join(json.dumps(plain(line), ensure_ascii=False) + "\n" for line in lines)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(folder / "feedback.jsonl", text, mode=0o600)


def _safe(label: str) -> str:
    """A label as the name of a folder: itself where it can be one, else with a mark that no other label has."""
    text = re.sub(r"[^\w .-]", "_", label).strip(" .")
    # Else "<3" and ">3" would be one label of the dataset that the next build reads.
    fits = text == label and len(label.encode()) <= _LONGEST_FOLDER and label.casefold() != UNLABELLED
    return text if fits else f"{text[:_BEGINNING]}-{digest_bytes(label.encode())[:8]}"


def _ending(content: bytes) -> str:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return {"JPEG": ".jpg"}.get(picture.format or "", f".{(picture.format or 'bin').lower()}")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return ".bin"
