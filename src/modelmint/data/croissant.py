"""A dataset version as Croissant: JSON-LD that dataset tools read (MLCommons Croissant 1.0, Akhtar et al. 2024).

Two forms. The frozen form describes the files that training reads: ``rows.jsonl`` with a record for each row, and
``payloads.bin`` with the pictures one after the other, each at its ``offset``. The exported form describes a plain
folder of pictures beside ``rows.csv`` (``export``), so that a reader of Croissant gets the pictures themselves.
Nothing in it is a date, a place or a machine: the same version gives the same text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelmint.data.types import SPLITS
from modelmint.data.version import PAYLOADS, ROWS, DatasetVersion

CONFORMS = "http://mlcommons.org/croissant/1.0"
#: Licences as the pages that state them; another one stays as the venture words it.
_LICENCES = {
    "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC BY-SA 4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC BY-NC 4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "MIT": "https://opensource.org/license/mit",
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {"name": "sc:Text", "split": "sc:Text", "group": "sc:Text", "digest": "sc:Text"}


@dataclass(frozen=True, slots=True)
class About:
    """What the venture says of its data."""

    name: str
    description: str
    #: As the venture words it; ``"not stated"`` where it does not.
    licence: str


def frozen_croissant(dataset: DatasetVersion, about: About) -> dict[str, Any]:
    """The frozen form; a reader that is given it beside ``rows.jsonl`` can iterate the record set ``rows``."""
    rows = _file(ROWS, "application/jsonlines", dataset.files[ROWS], "one JSON object a row, ordered by name")
    told = "all pictures, one after the other; a row's lies at its offset and is as long as its length"
    payloads = _file(PAYLOADS, "application/octet-stream", dataset.files[PAYLOADS], told)
    columns = {
        "name": "the row's name in the source",
        "split": "train, val or test",
        "label": "the number of the label, see the record set labels",
        "group": "rows of one group are never in two splits",
        "digest": "sha256 of the encoded picture",
        "offset": "first byte of the picture in payloads.bin",
        "length": "bytes of the picture",
    }
    fields = [
        _column(f"rows/{name}", told, _TYPES.get(name, "sc:Integer"), "fileObject", ROWS, name)
        for name, told in columns.items()
    ]
    records = {"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "description": "every row", "field": fields}
    return _dataset(dataset, about, [rows, payloads], [_labels(dataset), records])


def exported_croissant(
    dataset: DatasetVersion, about: About, rows_digest: str, endings: Sequence[str], splits: Sequence[str]
) -> dict[str, Any]:
    """The form of an exported folder; ``rows_digest`` is the sha256 of its ``rows.csv``, ``endings`` its files'.

    Its record set ``pictures`` gives every picture with its row, as the folder holds the ``splits``.
    """
    table = _file("rows.csv", "text/csv", rows_digest, "one line a picture")
    files = {
        "@type": "cr:FileSet",
        "@id": "picture-files",
        "name": "picture-files",
        "description": f"the pictures of {', '.join(splits)}, in folders by split and label",
        "encodingFormat": [f"image/{ending.replace('jpg', 'jpeg')}" for ending in endings],
        "includes": [f"*/*/*.{ending}" for ending in endings],
    }
    joined = {
        "@type": "cr:Field",
        "@id": "pictures/file",
        "name": "pictures/file",
        "description": "name of the picture's file",
        "dataType": "sc:Text",
        "source": {"fileSet": {"@id": "picture-files"}, "extract": {"fileProperty": "filename"}},
        "references": {"fileObject": {"@id": "rows.csv"}, "extract": {"column": "file"}},
    }
    picture = {
        "@type": "cr:Field",
        "@id": "pictures/picture",
        "name": "pictures/picture",
        "description": "the picture",
        "dataType": "sc:ImageObject",
        "source": {"fileSet": {"@id": "picture-files"}, "extract": {"fileProperty": "content"}},
    }
    columns = {"split": "train, val or test", "label": "what the picture shows", "name": "the row's name in the source"}
    fields = [
        joined,
        picture,
        *(
            _column(f"pictures/{name}", told, "sc:Text", "fileObject", "rows.csv", name)
            for name, told in columns.items()
        ),
    ]
    records = {
        "@type": "cr:RecordSet",
        "@id": "pictures",
        "name": "pictures",
        "description": "every picture",
        "field": fields,
    }
    return _dataset(dataset, about, [table, files], [_labels(dataset), records])


def _dataset(
    dataset: DatasetVersion,
    about: About,
    distribution: Sequence[Mapping[str, Any]],
    records: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    rows = ", ".join(f"{dataset.counts[split]} {split}" for split in SPLITS)
    facts = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in sorted(dataset.facts.items()))
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": about.name,
        "description": f"{about.description}. {rows} pictures. {facts}".removeprefix(". "),
        "identifier": f"sha256:{dataset.digest}",
        "version": f"0.0.0+{dataset.digest[:12]}",
        "keywords": list(dataset.labels),
        "distribution": list(distribution),
        "recordSet": list(records),
    }
    if about.licence != "not stated":
        found["license"] = _LICENCES.get(about.licence, about.licence)
    return found


def _labels(dataset: DatasetVersion) -> dict[str, Any]:
    """The labels by their numbers, inside the file."""
    return {
        "@type": "cr:RecordSet",
        "@id": "labels",
        "name": "labels",
        "description": "what a picture may show",
        "dataType": "sc:Enumeration",
        "key": {"@id": "labels/number"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"labels/{name}",
                "name": f"labels/{name}",
                "description": told,
                "dataType": kind,
            }
            for name, told, kind in (("number", "as rows name it", "sc:Integer"), ("label", "its name", "sc:Text"))
        ],
        "data": [{"labels/number": number, "labels/label": label} for number, label in enumerate(dataset.labels)],
    }


def _file(name: str, form: str, digest: str, told: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": told,
        "contentUrl": name,
        "encodingFormat": form,
        "sha256": digest,
    }


def _column(place: str, told: str, kind: str, of: str, file: str, column: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": place,
        "name": place,
        "description": told,
        "dataType": kind,
        "source": {of: {"@id": file}, "extract": {"column": column}},
    }
