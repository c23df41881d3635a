"""What can be wrong with a request of the Open Inference Protocol."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput, NotFound


class BadInferRequest(InvalidInput):
    """An inference request that cannot be taken apart."""

    code = "bad_infer_request"
    status = 400


class UnknownVersion(NotFound):
    """The model is not served in this version."""

    code = "unknown_version"


class BadCompression(InvalidInput):
    """A compressed body that cannot be unpacked."""

    code = "bad_compression"
    status = 400


class UnknownCompression(InvalidInput):
    """A body that is compressed in a way that is not read here."""

    code = "unknown_compression"
    status = 415
