"""What can be wrong with data."""

from __future__ import annotations

from modelmint.kit.errors import (
    Conflict,
    Corrupted,
    InvalidInput,
    LimitExceeded,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    Unavailable,
)


class NotAPicture(InvalidInput):
    """Bytes that no allowed picture format can be read from."""

    code = "not_a_picture"


class TruncatedPicture(InvalidInput):
    """A picture whose end, or a part of it, is missing or damaged."""

    code = "truncated_picture"


class TooManyPixels(InvalidInput):
    """A picture that is larger, decoded, than allowed; refused by its header."""

    code = "too_many_pixels"
    status = 413


class SourceNotFound(NotFound):
    """A path named in ``[data]`` leads nowhere."""

    code = "data_source_not_found"


class UnreadableSource(InvalidInput):
    """The source exists but is not in a form that any reader (or the one asked for) understands."""

    code = "unreadable_source"


class SourceTooLarge(LimitExceeded):
    """An array that would not fit into this machine's memory; refused by its header."""

    code = "source_too_large"


class OutsideSource(InvalidInput):
    """A path or link in the source that leads out of it."""

    code = "outside_source"


class DataRefused(PreconditionFailed):
    """The data has findings and ``data.on_problem`` is ``"fail"``; ``problems`` lists every one."""

    code = "data_refused"


class TooLittleData(PreconditionFailed):
    """Not enough usable rows to train, validate and test on."""

    code = "too_little_data"


class TestSplitGuarded(NotAllowed):
    """Test rows were asked for by something other than the judge."""

    code = "test_split_guarded"
    #: Keeps pytest from taking the class for a test.
    __test__ = False


class SourceChanged(Conflict):
    """A file changed between being checked and being frozen."""

    code = "source_changed"


class DamagedDataset(Corrupted):
    """A frozen dataset version is not what it was when it was written."""

    code = "damaged_dataset"


class DownloadFailed(Unavailable):
    """A published file cannot be had now: no network, nobody there, or the line breaks again and again."""

    code = "download_failed"


class WrongDownload(Corrupted):
    """A file that should be a published one has another size or digest."""

    code = "wrong_download"


class BadCorrections(InvalidInput):
    """A file of corrections that cannot be read, contradicts itself or does not fit the rows."""

    code = "bad_corrections"


class DamagedReview(Corrupted):
    """A kept ranking or decision on rows cannot be read."""

    code = "damaged_review"


class FolderNotEmpty(Conflict):
    """Something stands already where a dataset is to be exported to."""

    code = "folder_not_empty"
