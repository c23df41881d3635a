"""The shell's one door: takes global options from anywhere, runs a verb, turns every error into an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import modelmint
from modelmint.cli.exits import BROKEN_PIPE, INTERRUPTED, OK, UNEXPECTED, exit_code

if TYPE_CHECKING:
    from modelmint.cli.output import Output
    from modelmint.cli.session import Session

_STOPPED = "Stopped by Ctrl-C. What was finished is kept; the same command goes on from there."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:  # answered before anything is imported
        sys.stdout.write(f"modelmint {modelmint.__version__}\n")
        return OK
    from modelmint.cli.options import wants_json
    from modelmint.cli.output import guarded_stdout

    with guarded_stdout(wants_json(words)) as answers:
        try:
            return _parse_and_run(words, answers)
        except BrokenPipeError:
            # The reader (head, less) has what it wanted; keep Python from complaining at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return BROKEN_PIPE


def _parse_and_run(words: list[str], answers: Any) -> int:
    from modelmint.cli.options import take_globals, wants_json
    from modelmint.cli.output import Output
    from modelmint.cli.session import Session
    from modelmint.cli.types import GlobalOptions
    from modelmint.kit.errors import ModelmintError

    try:
        options, rest = take_globals(words)
    except ModelmintError as error:
        Output(GlobalOptions(json=wants_json(words)), answers).error(error.code, error.message, error)
        return exit_code(error)
    out = Output(options, answers)
    session = Session(options, out)
    try:
        return _guarded(session, rest)
    finally:
        session.close()


def _guarded(session: Session, rest: list[str]) -> int:
    from modelmint.kit.errors import ModelmintError

    out = session.out
    try:
        code = _run(session, rest)
        if code == INTERRUPTED:  # typer turned Ctrl-C into an exit of its own
            out.error("interrupted", _STOPPED)
        return code
    except ModelmintError as error:
        out.error(error.code, error.message, error)
        _traceback(session)
        return exit_code(error)
    except KeyboardInterrupt:
        out.error("interrupted", _STOPPED)
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # the last edge: nobody is above to handle it
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # typer's own usage errors
            return _usage(out, error)
        out.error(
            "unexpected",
            f"Something unexpected went wrong: {type(error).__name__}: {error}. "
            "Run it again with --debug to see where; that text makes a good bug report.",
        )
        _traceback(session)
        return UNEXPECTED


def _run(session: Session, rest: list[str]) -> int:
    """Whoever types here is the founder: the audit log names them so."""
    from modelmint.commerce.people.actor import FOUNDER, acting

    with acting(FOUNDER):
        return _run_verb(session, rest)


def _run_verb(session: Session, rest: list[str]) -> int:
    from modelmint.cli.app import command

    out = session.out
    asks_help = not rest or "--help" in rest or "-h" in rest or rest == ["--version"]
    if session.options.json and asks_help:
        if rest == ["--version"]:
            out.print_json({"version": modelmint.__version__})
            return OK
        text = io.StringIO()
        with redirect_stdout(text):
            code = command().main(args=rest or ["--help"], prog_name="modelmint", standalone_mode=False, obj=session)
        out.answer({"help": text.getvalue()}, lambda _: None)
        return int(code or OK)
    code = command().main(args=rest or ["--help"], prog_name="modelmint", standalone_mode=False, obj=session)
    return int(code or OK)


def _usage(out: Output, error: Any) -> int:
    context = getattr(error, "ctx", None)
    verb = context.command_path if context is not None else "modelmint"
    message = str(error.format_message())
    if not message:  # a group without a verb: its help was asked for in passing
        message = "A verb is missing."
    out.error("bad_usage", f"{message} See: {verb} --help")
    return int(error.exit_code)


def _traceback(session: Session) -> None:
    if session.options.debug:
        import traceback

        traceback.print_exc(file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
