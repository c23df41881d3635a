"""What went wrong, as a page shows it: by itself, or above the form that it was typed into."""

from __future__ import annotations

from dataclasses import replace

from modelmint.console.answers import Answer, Asked, Handler, Page
from modelmint.kit.errors import ModelmintError, category_of


def said(error: ModelmintError, asked: Asked) -> dict[str, object]:
    """An error's code, its sentence and every single finding, in the reader's language."""
    told = asked.words.told
    return {
        "code": error.code,
        "category": category_of(error).code,
        "detail": told(error.message),
        "problems": tuple(told(problem) for problem in error.problems),
    }


def again(form: Handler, asked: Asked, error: ModelmintError, status: int) -> Answer:
    """The page that the form stood on, with what was typed and what is wrong with it.

    Raises what the page itself raises: then the error has a page of its own.
    """
    answer = form(replace(asked, query={}))
    if not isinstance(answer, Page):
        raise error
    return replace(answer, values={**answer.values, "typed": asked.many, "failed": said(error, asked)}, status=status)
