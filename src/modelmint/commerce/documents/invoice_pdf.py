"""An invoice as PDF, printed from its HTML; fonts are embedded, nothing is fetched."""

from __future__ import annotations

from typing import Any, NoReturn

from PIL import ImageFile

from modelmint.commerce.documents.invoice_html import paper_html
from modelmint.commerce.documents.types import Paper
from modelmint.kit.errors import MissingExtra


def paper_pdf(paper: Paper, language: str = "en") -> bytes:
    """A whole document; raises ``UnknownLanguage``, ``MissingExtra``.

    Pango and, for Chinese, a font with Chinese letters come from the operating system.
    """
    page = paper_html(paper, language)
    truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:  # OSError: the package is there, Pango is not
        needed = "an invoice as PDF (with it Pango and a Chinese font, e.g. apt install libpango-1.0-0 fonts-noto-cjk)"
        raise MissingExtra("pdf", needed) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = truncated  # it lets half pictures pass everywhere in the process
    made: bytes = HTML(string=page, url_fetcher=_refuse).write_pdf()
    return made


def _refuse(url: str, *_: Any, **__: Any) -> NoReturn:
    """The page holds no address; if one ever slips in, it is not followed."""
    raise ValueError(f"an invoice fetches nothing, and not {url}")
