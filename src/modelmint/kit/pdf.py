"""A page of ours printed as PDF: fonts are embedded, nothing is fetched."""

from __future__ import annotations

import os
import subprocess
import sys

from modelmint.kit.errors import MissingExtra, Unavailable

#: A report takes seconds; what takes minutes will not end.
_PATIENCE = 120
_NEEDS_EXTRA = 8


class PrintingFailed(Unavailable):
    """A process that printed a page ended without a document."""

    code = "printing_failed"


def pdf_of(page: str, what: str) -> bytes:
    """The HTML ``page`` on paper; only pictures that stand in it (``data:``) are read, no file and no address.

    ``what`` names it in ``MissingExtra``, raised where weasyprint or Pango is not there. Pango and, for Chinese, a
    font with Chinese letters come from the operating system.
    """
    from PIL import ImageFile

    truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:  # OSError: the package is there, Pango is not
        raise _missing(what) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = truncated  # it lets half pictures pass everywhere in the process
    made: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=("data",))).write_pdf()
    return made


def pdf_apart(page: str, what: str) -> bytes:
    """The same in a process of its own: laying out a long page keeps an interpreter busy for seconds, and a server
    answers calls meanwhile. Raises ``MissingExtra``, ``PrintingFailed``.
    """
    known = {name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "PATH", "HOME", "LANG")}
    command = [sys.executable, "-P", "-m", "modelmint.kit.pdf"]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module; the page goes in as a stream
            command, input=page.encode(), capture_output=True, check=False, timeout=_PATIENCE, env=known
        )
    except subprocess.TimeoutExpired:
        raise PrintingFailed(f"{what} took more than {_PATIENCE} s to print; print it by the shell") from None
    if done.returncode == _NEEDS_EXTRA:
        raise _missing(what)
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        told = done.stderr.decode(errors="replace").strip()[-300:]
        raise PrintingFailed(f"{what} could not be printed: {told or f'exit code {done.returncode}'}")
    return done.stdout


def _missing(what: str) -> MissingExtra:
    needed = f"{what} as PDF (with it Pango and a Chinese font, e.g. apt install libpango-1.0-0 fonts-noto-cjk)"
    return MissingExtra("pdf", needed)


def _main() -> int:
    """HTML on stdin, PDF on stdout."""
    try:
        document = pdf_of(sys.stdin.buffer.read().decode(), "a page")
    except MissingExtra:
        return _NEEDS_EXTRA
    sys.stdout.buffer.write(document)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
