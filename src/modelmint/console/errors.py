"""What can go wrong between a page and its reader."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput, LimitExceeded, NotAllowed, NotFound


class FormNotOurs(NotAllowed):
    """A form that did not come from one of this session's own pages."""

    code = "form_not_ours"


class NotYourPage(NotAllowed):
    """A page of the founder, asked for by somebody else."""

    code = "not_your_page"


class SignInRefused(NotAllowed):
    """A token or key that opens nothing."""

    code = "sign_in_refused"
    status = 401


class TooManyAttempts(LimitExceeded):
    """Too many wrong sign-ins from one address; ``retry_after`` says when the next may come."""

    code = "too_many_attempts"


class NoSuchPage(NotFound):
    """The console has no page at this address."""

    code = "no_such_page"


class BadForm(InvalidInput):
    """A form with a field that cannot be read."""

    code = "bad_form"


class FormTooLarge(InvalidInput):
    """A form larger than any of ours."""

    code = "form_too_large"
    status = 413


class FormTooSlow(InvalidInput):
    """A form that comes so slowly that it only holds memory."""

    code = "form_too_slow"
    status = 408
