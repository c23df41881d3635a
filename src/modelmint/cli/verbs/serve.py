"""``modelmint serve``: the shop opens."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.errors import BadUsage, NothingBuilt
from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of

if TYPE_CHECKING:
    from modelmint.api.tls import TlsFiles


def serve(
    ctx: typer.Context,
    release: Annotated[
        Path | None, typer.Argument(help="A release folder copied from elsewhere: put on the shelf, deployed, served.")
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; as many as the cores can feed if left out.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="Certificate and chain in PEM: HTTPS only. SIGHUP reads it again.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its private key in PEM, unencrypted.")] = None,
    behind_proxy: Annotated[
        list[str] | None,
        typer.Option("--behind-proxy", help="Address or network of a proxy that may say for whom it speaks."),
    ] = None,
) -> None:
    """Answer paid calls until Ctrl-C or SIGTERM; calls under way are finished and booked first."""
    from modelmint.api.lock import claimed
    from modelmint.api.process import setup_logging
    from modelmint.api.server import run
    from modelmint.console.routes import console_routes
    from modelmint.worker.schedule import start

    session = session_of(ctx)
    tls = _tls(tls_cert, tls_key)
    if release is not None:
        with claimed(session.workspace):  # a server that runs here would follow the deployment
            _take_in(session, release)
    names = _served_names(session)
    hints = _plan_hints(session)
    session.close()  # the server opens books of its own, in each process
    setup_logging("ERROR" if session.options.quiet else "WARNING")
    for hint in hints:
        logging.getLogger("modelmint.plans").warning("%s", hint)
    run(
        session.root,
        host,
        port,
        workers,
        background=start,
        mounts=console_routes,
        on_ready=partial(_ready, session, names),
        tls=tls,
        behind=behind_proxy or (),
    )


def _ready(session: Session, names: list[str], url: str) -> None:
    payload = {
        "url": url,
        "pid": os.getpid(),
        "console": f"{url}/console",
        "models": {name: f"{url}/v1/models/{name}/predict" for name in names},
        "root": str(session.root),
    }
    session.out.answer(payload, lambda out: _show(out, session, url, names))


def _tls(certificate: Path | None, key: Path | None) -> TlsFiles | None:
    """Checked here already, before a release is put on the shelf for it."""
    from modelmint.api.tls import TlsFiles

    if certificate is None or key is None:
        if certificate is not key:
            raise BadUsage("--tls-cert and --tls-key go together: a certificate, and the key that belongs to it")
        return None
    found = TlsFiles(certificate.absolute(), key.absolute())
    found.check()
    return found


def _plan_hints(session: Session) -> list[str]:
    from modelmint.operations.plan_hints import plan_hints

    shop = session.shop
    return plan_hints(shop.books.plans(), shop.venture, shop.shelf, shop.books.deployments())


def _take_in(session: Session, folder: Path) -> None:
    """Shelve and deploy, unless it is what is served already."""
    from modelmint.operations.deploy import deploy, targets
    from modelmint.releases.shelf import Shelf

    added = Shelf(session.found_workspace() / "releases").add(folder.resolve())
    shop = session.shop
    if any(target.release != added.id for target in targets(shop.books)) or not targets(shop.books):
        deploy(shop.books, shop.shelf, added.id)


def _served_names(session: Session) -> list[str]:
    """Public names; the newest release is deployed where nothing is yet."""
    from modelmint.operations.deploy import ensure_deployed, targets

    shop = session.shop
    ensure_deployed(shop.books, shop.shelf)
    names = [target.name for target in targets(shop.books)]
    if not names:
        raise NothingBuilt(
            f"{session.root} holds no release to serve. Make one: {session.hint('build')}; "
            f"or serve one from elsewhere: {session.hint('serve RELEASE_FOLDER')}"
        )
    return names


def _show(out: Output, session: Session, url: str, names: list[str]) -> None:
    out.say(f"Serving at {url}  (Ctrl-C stops it)", style="bold green")
    for name in names:
        out.say(f"  POST {url}/v1/models/{name}/predict")
    out.say(f"  {url}/console   (sign in with the token in .modelmint/keys/admin.token)")
    out.say(f"  {url}/openapi.json   {url}/metrics")
    if not session.out.options.quiet:
        out.say(f"A customer and a key: {session.hint('customers add NAME --plan PLAN')}, then keys add NAME")
