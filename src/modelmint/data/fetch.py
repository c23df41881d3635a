"""A published file fetched once: resumed where the line breaks, used only if it is the published one."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from modelmint.data.errors import DownloadFailed, SourceNotFound, WrongDownload
from modelmint.kit.digest import digest_file
from modelmint.kit.progress import Progress

#: Seconds without a byte after which a line counts as broken.
SILENCE = 30.0
#: How often a broken line is taken up again, and how long the first wait is; each next one is twice as long.
TRIES, FIRST_WAIT = 6, 0.5
_CHUNK = 2**16
_LATER = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file that somebody published, and how it is known."""

    name: str
    url: str
    size_bytes: int
    #: As its publisher states it; hex.
    md5: str
    #: Of the same bytes; md5 alone would not keep a forger out.
    sha256: str


PNEUMONIAMNIST = PublishedFile(
    name="pneumoniamnist.npz",
    url="https://zenodo.org/records/10519652/files/pneumoniamnist.npz",
    size_bytes=4_170_669,
    md5="28209eda62fecd6e6a2d98b1501bb15f",
    sha256="e1792d3f03751cb101e99f19a63b3c1941436c988665f47853417b05be250cd8",
)


def is_published(path: Path, wanted: PublishedFile) -> bool:
    """Whether ``path`` holds the published bytes."""
    return path.is_file() and path.stat().st_size == wanted.size_bytes and digest_file(path) == wanted.sha256


def check(path: Path, wanted: PublishedFile) -> Path:
    """``path``, where it holds the published bytes; raises ``WrongDownload`` with what it holds instead.

    ``SourceNotFound`` where nothing is there.
    """
    if not path.is_file():
        raise SourceNotFound(f"expected {wanted.name} at {path}, found no file")
    if not is_published(path, wanted):
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        raise WrongDownload(
            f"{path} is not the published {wanted.name}: expected {wanted.size_bytes:,} bytes with md5 {wanted.md5}, "
            f"found {path.stat().st_size:,} bytes with md5 {found}. Altered copies are about; results on them compare "
            "with nothing published"
        )
    return path


def fetch(
    wanted: PublishedFile, folder: Path, progress: Progress, *, sleep: Callable[[float], None] = time.sleep
) -> Path:
    """``wanted`` in ``folder``; fetched where it is not there yet.

    What arrived of it stays in ``.NAME.part`` and is gone on with, now or at the next call, as long as the server
    says that it is the same file; then size and digests are checked and it appears under its name. Raises
    ``DownloadFailed`` where it cannot be had, ``WrongDownload`` where something else is offered.
    """
    final = folder / wanted.name
    if is_published(final, wanted):
        return final
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{wanted.name}.part"
    with part.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # a second one waits, and then finds the file
        if is_published(final, wanted):
            return final
        _Download(wanted, file, folder / f".{wanted.name}.part.json", progress).run(sleep)
        file.flush()
        os.fsync(file.fileno())
        try:
            check(part, wanted)
        except WrongDownload:
            file.truncate(0)
            raise
        part.replace(final)
    (folder / f".{wanted.name}.part.json").unlink(missing_ok=True)
    return final


class _Download:
    """What arrives of one file, over as many connections as it takes."""

    def __init__(self, wanted: PublishedFile, file: BinaryIO, about: Path, progress: Progress) -> None:
        self._wanted, self._file, self._about, self._progress = wanted, file, about, progress

    def run(self, sleep: Callable[[float], None]) -> None:
        last: Exception | None = None
        for attempt in range(TRIES):
            if attempt:
                self._progress.note(f"the line broke ({last}); going on at {self._have():,} bytes")
                sleep(FIRST_WAIT * 2 ** (attempt - 1))
            before = self._have()
            try:
                self._once()
            except urllib.error.HTTPError as error:
                last = error
                if error.code == 416:  # more is here than there is: it cannot be the same file
                    self._begin_again()
                elif error.code not in _LATER:
                    break
            except (OSError, http.client.HTTPException) as error:
                last = error
                if before == 0 and self._have() == 0 and isinstance(error, urllib.error.URLError) and attempt >= 1:
                    break  # nobody is there
            if self._have() == self._wanted.size_bytes:
                return
        raise DownloadFailed(
            f"{self._wanted.name} could not be fetched from {self._wanted.url} ({last or 'it ends early every time'}); "
            f"{self._have():,} of {self._wanted.size_bytes:,} bytes are here and are kept. Try again where the network "
            f"allows it, or fetch the file elsewhere (md5 {self._wanted.md5}) and name it with --data PATH"
        )

    def _once(self) -> None:
        """One connection; raises what breaks it."""
        have, headers = self._have(), {"Accept-Encoding": "identity", "User-Agent": "modelmint"}
        if have and (mark := self._mark()):
            headers |= {"Range": f"bytes={have}-", "If-Range": mark}
        opener = urllib.request.build_opener(_Redirects)
        # The address is ours, https, and what comes is checked by its digests.
        with opener.open(urllib.request.Request(self._wanted.url, headers=headers), timeout=SILENCE) as answer:  # noqa: S310
            if answer.status != 206 or _start(answer.headers.get("Content-Range", "")) != have:
                self._begin_again()
            self._expect(_length(answer.headers))
            self._remember(answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "")
            with self._progress.bar(f"fetch {self._wanted.name} (KiB)", self._wanted.size_bytes // 1024) as bar:
                bar.advance(self._have() // 1024)
                while chunk := answer.read1(_CHUNK):
                    self._file.write(chunk)
                    self._file.flush()
                    if self._have() > self._wanted.size_bytes:
                        self._refuse(f"more than {self._wanted.size_bytes:,} bytes")
                    bar.advance(len(chunk) // 1024)

    def _expect(self, rest: int | None) -> None:
        """Not a byte is read of something that is of another size."""
        whole = None if rest is None else self._have() + rest
        if whole is not None and whole != self._wanted.size_bytes:
            self._refuse(f"{whole:,} bytes")

    def _refuse(self, found: str) -> None:
        self._begin_again()
        raise WrongDownload(
            f"{self._wanted.url} does not offer the published file: expected {self._wanted.size_bytes:,} bytes, found "
            f"{found}. Fetch it elsewhere (md5 {self._wanted.md5}) and name it with --data PATH"
        )

    def _have(self) -> int:
        return self._file.seek(0, os.SEEK_END)

    def _begin_again(self) -> None:
        self._file.truncate(0)
        self._about.unlink(missing_ok=True)

    def _mark(self) -> str:
        """What the server called the state of the file whose beginning lies here; "" where it did not say."""
        try:
            found = json.loads(self._about.read_text())
            return str(found["mark"]) if found["url"] == self._wanted.url else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _remember(self, mark: str) -> None:
        # A weak mark does not vouch for the same bytes (RFC 9110, 13.1.5).
        self._about.write_text(json.dumps({"url": self._wanted.url, "mark": "" if mark.startswith("W/") else mark}))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Goes where it is sent, from https to https only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        if urlsplit(newurl).scheme != "https" and req.type == "https":
            raise urllib.error.HTTPError(newurl, code, "sent from https to a place without it", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _start(content_range: str) -> int | None:
    """Where a partial answer begins: ``bytes 100-199/200`` -> 100."""
    unit, _, span = content_range.partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else None


def _length(headers: Any) -> int | None:
    told = headers.get("Content-Length") or ""
    return int(told) if told.isdigit() else None
