"""What can go wrong behind a page is said in Chinese to who reads Chinese: errors are read out of the source.

A new error without a Chinese form fails here, unless it is named below with the reason why no page ever shows it.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import modelmint
from modelmint.console.words import Words
from modelmint.kit.errors import ModelmintError

SOURCE = Path(modelmint.__file__).parent
#: Behind the pages.
BEHIND = ("console", "serving", "commerce", "store", "monitoring/feedback", "operations/house.py",
          "operations/feedback.py", "operations/predict.py", "operations/printing.py", "operations/try_out.py",
          "releases/shelf.py", "tasks/image_classification.py", "data/pictures.py", "kit/pdf.py")  # fmt: skip
#: Of those, what only other doors use: the API and the shell.
BESIDE = {
    "commerce/documents/": "a page is asked for in a language that it has",
    "commerce/ledger/": "exports and replays are the shell's; a transaction that sums to something else is a defect",
    "commerce/metering/": "events come through the API and the shell",
    "commerce/payments/": "money is asked for by the worker and the shell; webhooks of providers are the API's",
    "commerce/plan_table.py": "plans are put by the API and the shell",
    "commerce/plan_terms.py": "a page is asked for in a language that it has",
    "commerce/webhooks/signing.py": "checked by who receives a webhook",
    "store/backup/": "backups are the shell's",
    "store/event": "events come through the API and the shell",
    "store/migrate.py": "the server does not start",
}
#: Errors that no page shows.
UNSEEN = {
    "Unauthenticated": "leads to the sign-in, which says the same whatever is wrong",
    "SignInRefused": "as above",
    "KeyLacksScope": "a key that may do too little opens no session",
    "ClientGone": "pages do not hang up",
    "BadSettings": "the manifest was checked when the release was made",
    "Unloadable": "a lane that cannot be loaded is told in the log; the former one stays",
    "TooManyExplanations": "a page sends one picture",
    "BadTensor": "pages send pictures",
    "BadCall": "a page's call counts one",
    "BadSettlement": "a defect, told as an incident",
    "UnknownReservation": "a defect, or an answer that came too late",
    "FeedbackConflict": "pages send no Idempotency-Key",
    "UnknownLead": "the shell erases leads",
    "NotAPartner": "the API of partners",
    "NotReplayable": "the shell replays",
    "BadPlan": "plans are put by the API and the shell",
    "PlanInFile": "plans are put by the API and the shell",
    "BadDatabaseUrl": "the server does not start",
    "MissingExtra": "the server does not start without its database; of a PDF see kit/pdf.py",
    "UnknownLanguage": "a page is asked for in a language that it has",
}


#: Findings of errors that no page shows.
WITHIN = {"tasks/image_classification.py": "BadSettings"}


def leaves(kind: type[ModelmintError]) -> Iterator[str]:
    for one in kind.__subclasses__():
        yield one.__name__
        yield from leaves(one)


def modules() -> Iterator[tuple[str, ModuleType]]:
    for wanted in BEHIND:
        place = SOURCE / wanted
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            name = path.relative_to(SOURCE).as_posix()
            if "migrations" not in name and not name.startswith(tuple(BESIDE)):
                yield name, importlib.import_module("modelmint." + name.removesuffix(".py").replace("/", "."))


def sentence(node: ast.expr, module: ModuleType) -> str | None:
    """A message as it would be with values in it; None where it is put together elsewhere."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    return "".join(value(part, module) for part in node.values)


def value(part: ast.expr, module: ModuleType) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    known = getattr(module, part.value.id, None) if isinstance(part.value, ast.Name) else None
    return str(known) if isinstance(known, str) else "'7'" if part.conversion == ord("r") else "7"


def calls() -> Iterator[tuple[str, ModuleType, ast.Call]]:
    """Every call in the source behind the pages, with its file and module."""
    for name, module in modules():
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield name, module, node


def findings() -> Iterator[tuple[str, str, str]]:
    """(file, "", sentence) of every finding that is put into a list of problems behind the pages."""
    for name, module, call in calls():
        method = call.func
        if not isinstance(method, ast.Attribute) or method.attr not in ("append", "insert"):
            continue
        if "problems" in ast.unparse(method.value) and name not in WITHIN:
            said = sentence(call.args[-1], module)
            if said is not None:
                yield name, "", said


def raised() -> Iterator[tuple[str, str, str]]:
    """(file, error, sentence) of every error with a message of its own behind the pages."""
    found = list(calls())  # every module is imported before the leaves are counted
    known = set(leaves(ModelmintError))
    for name, module, call in found:
        called = call.func.id if isinstance(call.func, ast.Name) else ""
        said = sentence(call.args[0], module) if called in known and call.args else None
        if said is not None:
            yield name, called, said


RAISED = list(raised())
FOUND = list(findings())


def test_errors_are_found_in_the_source() -> None:
    assert len(RAISED) > 120 and len(FOUND) > 40
    assert {called for _, called, _ in RAISED} >= {"NotServed", "NotAPicture", "TriesSpent", "TooManyKeys"}


def test_every_exception_is_one_that_there_is() -> None:
    assert set(UNSEEN) <= set(leaves(ModelmintError))
    assert all(list(SOURCE.glob(f"{beside}*")) for beside in BESIDE)


@pytest.mark.parametrize(
    ("file", "error", "said"), [one for one in RAISED + FOUND if one[1] not in UNSEEN], ids=lambda text: str(text)[:60]
)
def test_an_error_that_a_page_can_show_has_a_chinese_form(file: str, error: str, said: str) -> None:
    # A value without quotes may be a text as well as a number, and some messages quote their values themselves.
    forms = (said, said.replace(" 7 ", " '7' "), said.replace("as a 7", "as a number"))
    told = next((text for form in forms if re.search(r"[\u4e00-\u9fff]", text := Words("zh").told(form))), said)
    assert re.search(r"[\u4e00-\u9fff]", told), f"{file}: {error}: {said}"
    assert not re.search(r"[A-Za-z]{2,} [a-z]{2,}", told), f"English is left over: {told}"
