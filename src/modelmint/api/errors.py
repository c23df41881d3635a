"""What can be wrong with a request before any package is asked."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, InvalidInput, LimitExceeded, NotAllowed, Unavailable


class BodyTooLarge(LimitExceeded):
    """The request body is larger than the service takes."""

    code = "body_too_large"
    status = 413


class BodyTooSlow(Unavailable):
    """The request body did not arrive in time."""

    code = "body_too_slow"
    status = 408


class BodyCutOff(InvalidInput):
    """The connection ended before the request body did."""

    code = "body_cut_off"
    status = 400


class UnsupportedMediaType(InvalidInput):
    """The request body has a form that this route does not read."""

    code = "unsupported_media_type"
    status = 415


class BadMultipart(InvalidInput):
    """A multipart body that cannot be taken apart."""

    code = "bad_multipart"
    status = 400


class BadHeader(InvalidInput):
    """A request header whose value cannot be used."""

    code = "bad_header"
    status = 400


class BadQuery(InvalidInput):
    """A query or JSON field that is missing or cannot be used."""

    code = "bad_field"


class WrongAdminToken(NotAllowed):
    """The founder's routes need the admin token of this workspace."""

    code = "wrong_admin_token"
    status = 401


class TooManyRequests(LimitExceeded):
    """More requests than one key, or one address without a valid key, may send."""

    code = "too_many_requests"
    status = 429


class TooManyBatches(LimitExceeded):
    """So many batches of usage events of one customer wait that another one has no place."""

    code = "too_many_batches"
    status = 429


class Unforeseen(Unavailable):
    """The server failed."""

    code = "internal_error"
    status = 500


class AlreadyServed(Conflict):
    """Another server runs on this workspace."""

    code = "already_served"


class ServerFailed(Unavailable):
    """The server's processes did not come up."""

    code = "server_failed"


class BadHost(InvalidInput):
    """The host to listen on is no address of this machine."""

    code = "bad_host"


class PortTaken(Unavailable):
    """The port to listen on cannot be had."""

    code = "port_taken"


class BadCertificate(InvalidInput):
    """Certificate and key with which TLS cannot be served: unreadable, out of date, or not each other's."""

    code = "bad_certificate"


class BadProxy(InvalidInput):
    """A proxy to be believed that is neither an address nor a network."""

    code = "bad_proxy"
