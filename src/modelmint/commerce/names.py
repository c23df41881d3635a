"""The names of customers and keys: what stands on invoices and in lists, so nothing in them may forge a line."""

from __future__ import annotations

import unicodedata

from modelmint.commerce.errors import BadName

LONGEST = 500
#: How ids begin: a name must never be taken for one.
ID_PREFIXES = ("cus_", "key_", "par_")
#: Unicode categories: controls (line feeds among them), surrogates, line and paragraph separators.
_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def checked_name(name: str, what: str) -> str:
    """``name`` without surrounding white space; raises ``BadName`` with all that is wrong with it.

    ``what`` says whose name it is, as in "a customer's name".
    """
    stripped = name.strip()
    problems = []
    if not 1 <= len(stripped) <= LONGEST:
        problems.append(f"expected 1 to {LONGEST} characters, found {len(stripped)}")
    if not is_writable(stripped):
        found = sorted({f"U+{ord(character):04X}" for character in stripped if not is_writable(character)})
        problems.append(f"expected no control characters and no line breaks, found {', '.join(found)}")
    if stripped.startswith(ID_PREFIXES):
        problems.append(f"expected no beginning like an id ({', '.join(ID_PREFIXES)}), found {stripped[:4]!r}")
    if problems:
        raise BadName(f"this cannot be {what}; choose another", problems=problems)
    return stripped


def checked_line(text: str, what: str) -> str:
    """``text``, which may be empty, without surrounding white space; raises ``BadName`` where it is no single line."""
    stripped = text.strip()
    if len(stripped) > LONGEST or not is_writable(stripped):
        raise BadName(f"expected {what} on one line of at most {LONGEST} characters without control characters")
    return stripped


def is_id(text: str) -> bool:
    """Whether ``text`` is written like the id of a customer, a key or a partner."""
    return text.startswith(ID_PREFIXES) and text.isascii() and text.replace("_", "").isalnum()


def is_writable(text: str) -> bool:
    """Whether ``text`` stands on one line and can be stored and printed."""
    return not any(unicodedata.category(character) in _UNWRITABLE for character in text)
