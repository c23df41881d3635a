"""What can go wrong in a run-time verb itself; most errors come from the packages below."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, InvalidInput, NotFound, Unavailable


class NoSuchFile(NotFound):
    """A path to predict on that does not exist."""

    code = "no_such_file"


class UnreadableFile(InvalidInput):
    """A file to predict on that is there and cannot be read."""

    code = "unreadable_file"


class BadModelName(InvalidInput):
    """A public model name that cannot stand in a web address."""

    code = "bad_model_name"


class NothingBefore(Conflict):
    """The name served nothing else before that it could go back to."""

    code = "nothing_before"


class LoadTestFailed(Unavailable):
    """The server under test did not start, or refused the calls it was tested with."""

    code = "load_test_failed"


class NotAnsweredYet(Unavailable):
    """A page waited for a model as long as a page may; the call goes on, and is billed once it is answered."""

    code = "not_answered_yet"
    status = 504
