"""``store backup`` and ``store restore``: the books as one file that either database can be made of."""

from modelmint.store.backup.archive import Manifest, read_manifest
from modelmint.store.backup.make import back_up, look, shown_url
from modelmint.store.backup.restore import restore

__all__ = ["Manifest", "back_up", "look", "read_manifest", "restore", "shown_url"]
