"""Every reader by name."""

from __future__ import annotations

from modelmint.data.readers.folders import Folders
from modelmint.data.readers.lists import Lists
from modelmint.data.readers.npz import Npz
from modelmint.data.readers.sklearn_digits import SklearnDigits
from modelmint.data.types import Reader
from modelmint.kit.registry import Registry

READERS: Registry[Reader] = Registry(
    "reader",
    {
        "sklearn": SklearnDigits(),
        "npz": Npz(),
        "list": Lists(),
        "folders": Folders(),
    },
)
