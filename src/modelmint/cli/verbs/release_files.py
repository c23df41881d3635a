"""``modelmint releases export | import | signers``: releases as files, and whose files are taken in."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.errors import BadUsage, FileInTheWay
from modelmint.cli.session import Session, session_of
from modelmint.cli.types import Column, TableView
from modelmint.cli.verbs.adopt import Wishes, import_graph
from modelmint.cli.verbs.releases import pick, shelf_of

if TYPE_CHECKING:
    from modelmint.cli.output import Output
    from modelmint.releases.trust import TrustStore

#: How the name of an exported release ends: plain tar, which any program lists.
SUFFIX = ".release.tar"


def trust_of(session: Session) -> TrustStore:
    """The signers that this workspace trusts."""
    from modelmint.releases.trust import TrustStore

    return TrustStore(session.workspace / "keys")


def export(
    ctx: typer.Context,
    release: Annotated[str | None, typer.Argument(help="Id, its beginning, or a folder; else the newest.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; NAME-ID.release.tar if left out.")
    ] = None,
    without_statements: Annotated[
        bool, typer.Option("--without-statements", help="Leave out what was measured, judged and priced here.")
    ] = False,
) -> None:
    """One signed file with everything in a release; no pictures, keys or books. Nothing is overwritten."""
    from modelmint.releases.archive.export import export_release
    from modelmint.releases.sign import KEY_FILE
    from modelmint.sdk.views.figures import size

    session = session_of(ctx)
    found = pick(session, release)
    name = found.manifest.venture.get("name") or "release"
    target = (out or Path(f"{name}-{found.id[:12]}{SUFFIX}")).absolute()
    if target.exists():
        raise FileInTheWay(
            f"{target} is there already, and nothing is overwritten. Move it away, or give another --out."
        )
    keyfile = session.found_workspace() / "keys" / KEY_FILE
    sealed = export_release(found, target, keyfile, statements=not without_statements)
    payload = {
        "release": found.id,
        "path": str(target),
        "size_bytes": target.stat().st_size,
        "files": len(sealed.contents.entries),
        "fingerprint": sealed.fingerprint,
    }

    def show(shown: Output) -> None:
        shown.say(f"Wrote {target} ({size(payload['size_bytes'])}, {payload['files']} files)", style="bold green")
        shown.say(f"Signed by {sealed.fingerprint}")
        shown.say("Tell the receiver this fingerprint by another way than the file goes: it is what they trust.")

    session.out.answer(payload, show)


def import_(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="An exported archive, a release folder, or a model.onnx.")],
    trust: Annotated[
        str | None, typer.Option("--trust", help="Fingerprint of an archive's signer, trusted from now on.")
    ] = None,
    task: Annotated[str, typer.Option("--task", help="Of a model.onnx: what it does.")] = "image-classification",
    data: Annotated[
        str | None,
        typer.Option("--data", help="Of a model.onnx: labelled pictures, where there is no venture.toml yet."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="Of a model.onnx: what its outputs mean, in their order: ok,defect.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Of a model.onnx: which [models.NAME], where there are several.")
    ] = None,
    layout: Annotated[str | None, typer.Option("--layout", help="nchw, nhwc, nhw, flat, flat-chw; else found.")] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", help="unit, raw, signed, imagenet, caffe; else found on training pictures.")
    ] = None,
    image_size: Annotated[int | None, typer.Option("--image-size", help="Where the graph takes any size.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Of the weights of a model.onnx.")] = None,
) -> None:
    """Take in a release from elsewhere, checked to the last byte; or a model.onnx, judged and priced like any other."""
    from modelmint.releases.archive.intake import import_archive

    session = session_of(ctx)
    wishes = Wishes(task, data, labels, model, layout, scale, image_size, licence)
    if path.suffix.lower() == ".onnx":
        if trust is not None:
            raise BadUsage("--trust is for archives: a model.onnx is signed by nobody, it is judged here")
        import_graph(session, path, wishes)
        return
    if given := wishes.given():
        if not path.exists():
            near = get_close_matches(path.name, sorted(one.name for one in path.parent.glob("*")), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise BadUsage(f"there is nothing at {path.absolute()}{hint}")
        raise BadUsage(f"{', '.join(given)}: for a model.onnx; {path.name} is none")
    if path.is_dir():
        _answer(session, shelf_of(session).add(path.resolve()), None)
        return
    session.found_workspace()
    found, sealed = import_archive(path, shelf_of(session), trust_of(session), trusting=trust)
    _answer(session, found, sealed.fingerprint)


def signers(
    ctx: typer.Context,
    forget: Annotated[str | None, typer.Option("--forget", help="Fingerprint to trust no longer.")] = None,
) -> None:
    """The fingerprint of this workspace's own key, and whose archives it takes in."""
    session = session_of(ctx)
    store = trust_of(session)
    forgotten = forget is not None and store.forget(forget)
    own, trusted = store.own, store.signers()
    payload = {
        "own": own,
        "trusted": [{"fingerprint": one, "name": name} for one, name in sorted(trusted.items())],
        "forgotten": forgotten,
    }

    def show(out: Output) -> None:
        if forget is not None:
            out.say("Forgotten; what was imported stays." if forgotten else "It was not trusted.")
        rows = [("own", own or "none yet: the first build or export makes a key", "")]
        rows += [("trusted", one, name) for one, name in sorted(trusted.items())]
        out.table(TableView("Signers", (Column(""), Column("fingerprint"), Column("first import")), tuple(rows), {}))

    session.out.answer(payload, show)


def _answer(session: Session, release: Any, fingerprint: str | None) -> None:
    """``fingerprint``: of the archive's signer; None for a folder, which nobody signed as a whole."""
    from modelmint.bootstrap import served_in
    from modelmint.sdk.views.releases import release_json

    payload = {"release": release_json(release, served_in(session.root)), "signed_by": fingerprint}

    def show(out: Output) -> None:
        out.say(f"Imported {release.id[:12]}. Next: {session.hint(f'deploy {release.id[:12]}')}", style="bold green")
        if fingerprint is not None:
            out.say(f"Signed by {fingerprint}", style="dim")

    session.out.answer(payload, show)


VERBS: dict[str, Callable[..., None]] = {"export": export, "import": import_, "signers": signers}
