"""What a visitor may leave."""

from __future__ import annotations

import re
import unicodedata

from modelmint.commerce.visitors.errors import BadLead
from modelmint.tasks.predictions import named

LONGEST_COMMENT = 2000
_LONGEST_ADDRESS = 254
#: Enough to tell an address from a slip; whether it is somebody's only a letter can tell.
_ADDRESS = re.compile(r"[^@\s\"<>(),;:\\\[\]]{1,64}@[^@\s\"<>(),;:\\\[\]_]+\.[^@\s\"<>(),;:\\\[\]_.]{2,63}")


def checked(email: str, comment: str, consent: str | None, prediction: str | None = None) -> tuple[str, str]:
    """Both without surrounding white space; raises ``BadLead`` with all that is wrong."""
    email, comment = email.strip(), comment.strip().replace("\r\n", "\n")
    problems = []
    if not email and not comment:
        problems.append("expected a word or an e-mail address, found neither")
    if email and (len(email) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(email)):
        problems.append("expected an e-mail address like name@example.org")
    if email and not consent:
        problems.append("an e-mail address is kept only where you agree to it")
    if len(comment) > LONGEST_COMMENT:
        problems.append(f"expected a comment of at most {LONGEST_COMMENT} characters, found {len(comment)}")
    if prediction is not None and named(prediction) is None:
        problems.append("expected the prediction by its name, prd_...; load the page again and repeat")
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign != "\n" for sign in email + comment):
        problems.append("expected text without control characters")
    if problems:
        raise BadLead("this cannot be kept", problems=problems)
    return email, comment
