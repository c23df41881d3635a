"""Reading what a form of ours sends: fields, and on some pages files. Nothing of it touches the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from modelmint.console.errors import BadForm, FormNotOurs, FormTooLarge, FormTooSlow

#: Bytes of a form without files, and what the fields of one with files may take beside them.
LARGEST_FORM = 64 * 1024
_MOST_FIELDS, _MOST_FILES = 500, 4
_FIELDS, _FILES = "application/x-www-form-urlencoded", "multipart/form-data"
#: What is read of a form too large before it is refused, so that the browser listens to the answer.
_PATIENCE = 8
#: Seconds that a form may take, and bytes a second that it must keep up beyond them.
GRACE_SECONDS = 10.0
_SLOWEST_BYTES_PER_SECOND = 16 * 1024


@dataclass(frozen=True)
class Form:
    """What was sent: fields by name, files by the name of their field."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


class _InMemory(MultiPartParser):
    """Files stay in memory: what readers send is not stored."""

    spool_max_size = 1 << 40


async def read_form(request: Request, files: int = 0) -> Form:
    """The body, bounded; ``files`` is how many bytes of files the page takes.

    Raises ``BadForm``, ``FormNotOurs``, ``FormTooLarge``, ``FormTooSlow``.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in ((_FIELDS, _FILES) if files else (_FIELDS,)):
        raise BadForm("expected a form")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise FormNotOurs("a form from another site")
    most = LARGEST_FORM + (files if kind == _FILES else 0)
    if kind == _FILES:
        return await _with_files(request, most)
    body = bytearray()
    async for part in _bounded(request, most):
        body += part
    return Form(_fields(bytes(body)))


def _fields(body: bytes) -> dict[str, tuple[str, ...]]:
    try:
        found = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadForm("expected fewer fields in the form") from error
    return {name: tuple(values) for name, values in found.items()}


async def _with_files(request: Request, most: int) -> Form:
    stream = _bounded(request, most)
    parser = _InMemory(
        request.headers, stream, max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=LARGEST_FORM
    )
    try:
        found = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise BadForm("the form cannot be taken apart; load the page again and repeat") from error
    fields: dict[str, tuple[str, ...]] = {}
    files: dict[str, bytes] = {}
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            files[name] = value.file.read()
        else:
            fields[name] = (*fields.get(name, ()), value)
    await found.close()
    return Form(fields, files)


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes; raises ``FormTooLarge`` for one that is longer, after it was sent if that is soon.

    ``FormTooSlow`` where it falls behind 16 KiB/s after a grace of 10 s: what is half sent lies in memory.
    """
    total, too_large = 0, _declared(request) > most
    parts, clock = aiter(request.stream()), asyncio.get_running_loop().time
    started = clock()
    while True:
        latest = started + GRACE_SECONDS + total / _SLOWEST_BYTES_PER_SECOND
        try:
            async with asyncio.timeout_at(latest):
                part = await anext(parts, None)
        except TimeoutError:
            raise FormTooSlow("expected the form sooner; send it again over a faster connection") from None
        if part is None:
            break
        total += len(part)
        too_large = too_large or total > most
        if too_large and total > _PATIENCE * most:
            break
        if not too_large:
            yield part
    if too_large:
        raise FormTooLarge(f"expected a form of at most {most} bytes")


def _declared(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 16 else 0
