"""The signature of an archive: an in-toto statement in a DSSE envelope, signed with Ed25519.

https://github.com/secure-systems-lab/dsse (v1) and https://in-toto.io/Statement/v1. The files are the subjects;
the predicate says which release they make up and how large each is. ``keyid`` is the key's fingerprint, and
``public_key`` stands beside it, so that whoever knows the fingerprint can check the file.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from modelmint.kit.canonical import canonical_json
from modelmint.releases.archive.types import Contents, Entry, Sealed
from modelmint.releases.errors import BrokenArchive, NewerSchema
from modelmint.releases.manifest import MANIFEST, STATEMENTS, is_digest, safe_path
from modelmint.releases.sign import SigningKey, fingerprint, signature_holds

#: The schema this version writes; older ones are read, newer ones are refused.
SCHEMA = 1
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
#: Bytes; larger numbers are no sizes.
LARGEST_FILE = 2**50
#: Bytes of a path and of each part of it, as common file systems take them.
LONGEST_PATH, LONGEST_PART = 1024, 200
PREDICATE_TYPE = "urn:modelmint:release-archive:v1"
_STATEMENT_NAME = re.compile(rf"{STATEMENTS}/[A-Za-z0-9][A-Za-z0-9._-]{{0,180}}\.json")


def seal(contents: Contents, key: SigningKey) -> bytes:
    """The envelope's canonical bytes; the same contents and key give the same bytes."""
    payload = canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": entry.name, "digest": {"sha256": entry.sha256}} for entry in contents.entries],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "schema": SCHEMA,
                "release": contents.release,
                "venture": dict(contents.venture),
                "sizes": [entry.size_bytes for entry in contents.entries],
            },
        }
    )
    signature = {
        "keyid": fingerprint(key.public),
        "public_key": key.public,
        "sig": key.sign(_signable(PAYLOAD_TYPE, payload)),
    }
    return canonical_json(
        {"payloadType": PAYLOAD_TYPE, "payload": base64.b64encode(payload).decode(), "signatures": [signature]}
    )


def unseal(envelope: bytes) -> Sealed:
    """What an envelope vouches for, after its signature was checked.

    Raises ``BrokenArchive`` where it is no envelope of ours, was edited, or names files that no release has;
    ``NewerSchema``; ``UnsafePath`` where a name leaves the release's folder.
    """
    try:
        raw = _object(envelope)
        (signature,) = raw["signatures"]
        payload = base64.b64decode(raw["payload"], validate=True)
        public, signed_by, text = str(signature["public_key"]), signature["keyid"], str(signature["sig"])
        as_we_write_it = raw["payloadType"] == PAYLOAD_TYPE and canonical_json(raw) == envelope
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BrokenArchive(f"the signature of this archive cannot be read ({error!r}); copy it again") from error
    if not as_we_write_it:
        raise BrokenArchive("the signature of this archive is not in its canonical form: it was edited; copy it again")
    if not signature_holds(public, text, _signable(PAYLOAD_TYPE, payload)) or signed_by != fingerprint(public):
        raise BrokenArchive("the signature of this archive does not belong to its contents; copy it again")
    return Sealed(_contents(payload), public, fingerprint(public))


def _signable(kind: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(payload)).encode(), payload])


def _object(content: bytes) -> dict[str, Any]:
    found = json.loads(content)
    if not isinstance(found, dict):
        raise TypeError(f"expected an object, found {type(found).__name__}")
    return found


def _contents(payload: bytes) -> Contents:
    """Signed by somebody, which does not make it sane."""
    try:
        raw = _object(payload)
        predicate = raw["predicate"]
        if isinstance(predicate["schema"], int) and predicate["schema"] > SCHEMA:
            raise NewerSchema(
                f"this archive has schema {predicate['schema']}, this Modelmint reads up to {SCHEMA}; update "
                "Modelmint to import it"
            )
        if raw["_type"] != STATEMENT_TYPE or raw["predicateType"] != PREDICATE_TYPE:
            raise ValueError(f"a statement about a release (found {raw['predicateType']!r})")
        entries = tuple(
            Entry(subject["name"], _size(size), _sha256(subject["digest"]["sha256"]))
            for subject, size in zip(raw["subject"], predicate["sizes"], strict=True)
        )
        contents = Contents(_sha256(predicate["release"]), _words(predicate["venture"]), entries)
        _check_names([entry.name for entry in entries])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BrokenArchive(f"the archive's list of contents lacks or misstates {error}; do not use it") from error
    return contents


def _size(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST_FILE:
        raise ValueError(f"a size in bytes (found {value!r})")
    return value


def _sha256(value: Any) -> str:
    if not isinstance(value, str) or not is_digest(value):
        raise ValueError(f"a sha256 (found {value!r})")
    return value


def _words(value: Mapping[str, Any]) -> dict[str, str]:
    if not all(isinstance(word, str) for word in value.values()):
        raise ValueError("the venture's name and purpose as text")
    return dict(value)


def _check_names(names: Sequence[str]) -> None:
    """The manifest first, then pinned files, then statements; none twice, none inside another."""
    if not names or names[0] != MANIFEST:
        raise ValueError(f"{MANIFEST} as its first file")
    for name in names:
        if len(name.encode()) > LONGEST_PATH or max(len(part.encode()) for part in name.split("/")) > LONGEST_PART:
            raise ValueError(f"paths that a disk can hold (found one of {len(name)} characters)")
    for name in names[1:]:
        if not _STATEMENT_NAME.fullmatch(name):
            safe_path(name)
    # Some file systems take names of other case for the same file.
    folded = {name.casefold() for name in names}
    if len(folded) != len(names):
        raise ValueError("each file once (a name comes twice)")
    parents = {"/".join(name.split("/")[:depth]) for name in folded for depth in range(1, name.count("/") + 1)}
    if parents & folded:
        raise ValueError(f"files and folders apart ({min(parents & folded)!r} is both)")
