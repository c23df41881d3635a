"""What can be wrong with a release."""

from __future__ import annotations

from collections.abc import Sequence

from modelmint.kit.errors import Corrupted, InvalidInput, NotAllowed, NotFound
from modelmint.releases.types import Damage


class ReleaseNotFound(NotFound):
    """No release at this path, or none with this id on the shelf."""

    code = "release_not_found"


class UnknownModel(NotFound):
    """The release holds no model, or no variant, of this name."""

    code = "not_in_release"


class AmbiguousRelease(InvalidInput):
    """A prefix that fits more than one release id."""

    code = "ambiguous_release"


class IncompleteManifest(InvalidInput):
    """A manifest that names a graph which is not among the files to be bundled."""

    code = "incomplete_manifest"


class UnreadableManifest(Corrupted):
    """``manifest.json`` is cut off, is not canonical JSON, or lacks what a manifest needs."""

    code = "unreadable_manifest"


class UnreadableStatement(Corrupted):
    """A file in ``statements/`` that is no statement, or was edited."""

    code = "unreadable_statement"


class NewerSchema(Corrupted):
    """The release was written by a newer Modelmint than this one."""

    code = "newer_schema"


class UnsafePath(Corrupted):
    """A path in the manifest leaves the release's folder, or a symbolic link stands in it."""

    code = "unsafe_path"


class UnreadableKey(Corrupted):
    """The signing key's file is not an Ed25519 private key."""

    code = "unreadable_key"


class ArchiveNotFound(NotFound):
    """No file at the path that should be a release archive."""

    code = "archive_not_found"


class NotAnArchive(InvalidInput):
    """The file is something else than a release archive."""

    code = "not_an_archive"


class BrokenArchive(Corrupted):
    """A release archive that is cut off, was edited, or lists what no release holds."""

    code = "broken_archive"


class UnknownSigner(NotAllowed):
    """A release archive signed by a key that this workspace was not told to trust."""

    code = "unknown_signer"


class WrongFingerprint(InvalidInput):
    """A key's fingerprint that is not 64 hex digits, or not that of the archive's signer."""

    code = "wrong_fingerprint"


class UnreadableTrust(Corrupted):
    """The list of trusted signers was edited so that it cannot be read."""

    code = "unreadable_trust"


class DamagedRelease(Corrupted):
    """Files of a release are not what its manifest pins."""

    code = "damaged_release"

    def __init__(self, release: str, damage: Sequence[Damage]) -> None:
        super().__init__(
            f"release {release[:12]} is not what its manifest says ({len(damage)} finding"
            f"{'' if len(damage) == 1 else 's'}); copy it again from a sound source, or move it away and build again",
            problems=[f"{item.path}: {item.kind}{': ' + item.message if item.message else ''}" for item in damage],
            details={"release": release, "damage": [{"path": d.path, "kind": d.kind} for d in damage]},
        )
