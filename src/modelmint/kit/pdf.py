"""A page of ours printed as PDF: fonts are embedded, nothing is fetched."""

from __future__ import annotations

from modelmint.kit.errors import MissingExtra


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
        needed = f"{what} as PDF (with it Pango and a Chinese font, e.g. apt install libpango-1.0-0 fonts-noto-cjk)"
        raise MissingExtra("pdf", needed) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = truncated  # it lets half pictures pass everywhere in the process
    made: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=("data",))).write_pdf()
    return made
