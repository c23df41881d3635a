"""A request body as payloads: raw bytes, multipart files, or JSON with base64; chosen by its media type."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from modelmint.api.errors import BadMultipart, BadQuery, UnsupportedMediaType
from modelmint.tasks.errors import EmptyInput, TooManyInputs
from modelmint.tasks.requests import payloads_from_json
from modelmint.tasks.types import Wishes

ACCEPTED = "image/*, application/octet-stream, multipart/form-data or application/json"


def payloads_from(media_type: bytes | None, body: bytes, max_items: int, wishes: Wishes | None = None) -> list[bytes]:
    """The inputs of a call, at least one, at most ``max_items``, in the order sent; ``wishes`` is told the rest.

    Raises ``UnsupportedMediaType`` (415), ``EmptyInput``, ``TooManyInputs``, ``BadMultipart``, and what
    ``payloads_from_json`` raises.
    """
    kind = (media_type or b"").split(b";", 1)[0].strip().lower()
    if kind == b"application/json":
        return payloads_from_json(body, max_items, wishes)
    if kind == b"multipart/form-data":
        return _files(media_type or b"", body, max_items, wishes)
    if kind in (b"", b"application/octet-stream") or kind.startswith(b"image/"):
        if not body:
            raise EmptyInput(f"expected an input in the body, found no bytes; send {ACCEPTED}")
        return [body]
    raise UnsupportedMediaType(f"expected Content-Type {ACCEPTED}; found {kind[:80].decode('latin-1')!r}")


def flag_from(name: str, text: bytes) -> bool:
    """A text that means true or false (``true``, ``1``, ``false``, ``0``, in any case); raises ``BadQuery``."""
    wanted = text.strip().lower()
    if wanted not in (b"true", b"1", b"false", b"0"):
        raise BadQuery(f"{name}: expected true or false, found {text[:40].decode('latin-1')!r}")
    return wanted in (b"true", b"1")


class _Parts:
    """Collects the contents of file parts; of the form fields only ``explain`` counts."""

    def __init__(self, max_items: int, wishes: Wishes) -> None:
        self.files: list[bytes] = []
        self._max_items = max_items
        self._header = (bytearray(), bytearray())
        self._content: list[bytes] | None = None
        self._is_file = self._is_wish = False
        self._wishes = wishes
        self.ended = False

    def on_part_begin(self) -> None:
        self._content = []
        self._is_file = self._is_wish = False

    def on_header_begin(self) -> None:
        self._header = (bytearray(), bytearray())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def on_header_end(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(value))
            self._is_file = b"filename" in options
            self._is_wish = not self._is_file and options.get(b"name") == b"explain"

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if (self._is_file or self._is_wish) and self._content is not None:
            self._content.append(data[start:end])

    def on_part_end(self) -> None:
        if self._is_wish and self._content is not None:
            self._wishes.explain |= flag_from("explain", b"".join(self._content))
        if self._is_file and self._content is not None:
            self.files.append(b"".join(self._content))
            if len(self.files) > self._max_items:
                raise TooManyInputs(
                    f"expected at most {self._max_items} files in one call, found more; send the rest in further calls",
                    details={"limit": self._max_items},
                )

    def on_end(self) -> None:
        self.ended = True


def _files(media_type: bytes, body: bytes, max_items: int, wishes: Wishes | None) -> list[bytes]:
    _, options = parse_options_header(media_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise BadMultipart("expected a boundary in Content-Type: multipart/form-data; boundary=..., found none")
    parts = _Parts(max_items, wishes or Wishes())
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.on_part_begin,
                "on_header_begin": parts.on_header_begin,
                "on_header_field": parts.on_header_field,
                "on_header_value": parts.on_header_value,
                "on_header_end": parts.on_header_end,
                "on_part_data": parts.on_part_data,
                "on_part_end": parts.on_part_end,
                "on_end": parts.on_end,
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise BadMultipart(f"the multipart body cannot be taken apart: {error}") from error
    if not parts.ended:
        raise BadMultipart("the multipart body has no closing boundary; it was cut off")
    if not parts.files:
        raise EmptyInput("expected at least one file part (with a filename), found none")
    return parts.files
