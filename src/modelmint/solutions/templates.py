"""Beginning a venture: a solution's files with the founder's answers filled in."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from string import Template

from modelmint.kit.registry import nearest
from modelmint.solutions.errors import BadAnswer, UnknownSolution
from modelmint.solutions.types import Solution

#: Every solution by its public name.
SOLUTIONS: dict[str, Solution] = {
    "image-screening": Solution(
        folder="image_screening",
        title="sort your own pictures: a folder per class in, a paid API out",
        title_zh="给自己的图片分类：每类一个文件夹，产出可收费的接口",
        answers={"source": "pictures", "purpose": "a first look at pictures"},
    ),
    "digits": Solution(
        folder="digits",
        title="read handwritten digits; needs no data of yours, builds in a minute",
        title_zh="识别手写数字；不需要自备数据，一分钟建成",
        answers={"purpose": "reads one handwritten digit"},
    ),
    "chest-xray": Solution(
        folder="chest_xray",
        title="pneumonia on chest X-rays (PneumoniaMNIST); not for clinical use",
        title_zh="胸片肺炎初筛（PneumoniaMNIST）；不得用于临床",
        answers={"source": "data/pneumoniamnist.npz", "purpose": "a first look at chest X-rays for small clinics"},
    ),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TEMPLATES = ("venture.toml", "README.md")


def render(solution: str, name: str, **answers: str) -> dict[str, str]:
    """Relative path -> text of the files of a new venture called ``name``.

    Raises ``UnknownSolution``; ``BadAnswer`` for a name that cannot stand in a web address, or an answer to a
    question that the solution does not ask.
    """
    if solution not in SOLUTIONS:
        close = nearest(solution, list(SOLUTIONS))
        hint = f"; did you mean {close!r}?" if close else ""
        raise UnknownSolution(f"expected one of {', '.join(SOLUTIONS)}; found {solution!r}{hint}")
    chosen = SOLUTIONS[solution]
    problems = []
    if not _NAME.fullmatch(name):
        problems.append(f"expected a name of small letters, digits and '-', at most 63, found {name!r}")
    problems += [
        f"{solution} does not ask for {key!r}; it asks for {', '.join(chosen.answers)}"
        for key in answers
        if key not in chosen.answers
    ]
    if problems:
        raise BadAnswer(f"a new venture cannot be written from {solution}", problems=problems)
    values = {"name": name, **chosen.answers, **answers}
    folder = files("modelmint.solutions") / chosen.folder
    return {file: _filled((folder / file).read_text(encoding="utf-8"), file, values) for file in _TEMPLATES}


def _filled(text: str, file: str, values: dict[str, str]) -> str:
    """In TOML an answer stands as a text in quotes, elsewhere as it is."""
    written = {key: _quoted(value) for key, value in values.items()} if file.endswith(".toml") else values
    return Template(text).substitute(written)


def _quoted(value: str) -> str:
    """JSON's escapes are among TOML's; the one control character that JSON leaves as it is, TOML does not."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
