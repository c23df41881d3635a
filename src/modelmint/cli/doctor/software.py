"""Python, the packages of each extra, and the engines that can run a model here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from modelmint.cli.types import Check, CheckState

#: First and one past the last Python that the house is tested with.
PYTHON = ((3, 11), (3, 14))
#: Extra -> what it is needed for; ``""`` is the shop itself.
_EXTRAS = {
    "": "serve and sell",
    "workshop": "build and demo",
    "openvino": "a second engine; build tries it where it is there",
    "postgres": "books on PostgreSQL",
}
_PROBE = "import json, torch; print(json.dumps([torch.__version__, torch.get_num_threads()]))"


def check_software() -> Iterator[Check]:
    """Rows about Python and the installed packages. Torch is looked at in a process of its own."""
    here = sys.version_info[:2]
    good = PYTHON[0] <= here < PYTHON[1]
    yield Check(
        "python",
        "python",
        "ok" if good else "bad",
        sys.version.split()[0],
        "" if good else "use Python 3.11, 3.12 or 3.13",
    )
    for extra, purpose in _EXTRAS.items():
        yield _extra(extra, purpose)
    yield _torch()
    yield _engines()


def _wanted(extra: str) -> list[str]:
    """Names of the packages that an extra brings, read from our own metadata."""
    names = []
    for line in requires("modelmint") or []:
        requirement, _, marker = line.partition(";")
        of_extra = "extra ==" in marker
        if of_extra != bool(extra) or (extra and f'"{extra}"' not in marker.replace("'", '"')):
            continue
        if not of_extra and "win32" in marker and sys.platform == "win32":
            continue
        name = requirement.strip()
        for stop in "[<>=!~ ":
            name = name.split(stop, 1)[0]
        names.append(name)
    return names


def _extra(extra: str, purpose: str) -> Check:
    title = extra or "shop"
    try:
        wanted = _wanted(extra)
    except PackageNotFoundError:
        return Check("extras", title, "warn", "modelmint runs from a folder, not from an installed package")
    found, missing = [], []
    for name in wanted:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if not missing:
        return Check("extras", title, "ok", ", ".join(found))
    how = f'pip install "modelmint[{extra}]"' if extra else "pip install --force-reinstall modelmint"
    optional = extra in ("openvino", "postgres")
    state: CheckState = "bad" if not extra else "ok" if optional else "warn"
    lead = "not installed (optional)" if optional else f"missing: {', '.join(missing)}"
    return Check("extras", title, state, lead, f"{how}  ({purpose})")


def _torch() -> Check:
    try:
        version("torch")
    except PackageNotFoundError:
        return Check("extras", "torch", "warn", "not installed; serving and selling work, build does not")
    try:
        told = subprocess.run(  # noqa: S603 - our own interpreter with a constant text
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=120, check=True
        )
        number, threads = json.loads(told.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1:]
        return Check(
            "extras", "torch", "bad", f"installed but does not load: {' '.join(reason)}", "install torch again"
        )
    return Check("extras", "torch", "ok", f"{number}, {threads} threads")


def _engines() -> Check:
    from modelmint.inference.engines.registry import available

    names = available()
    if not names:
        return Check("extras", "engines", "bad", "none can run a model here", "pip install onnxruntime")
    return Check("extras", "engines", "ok", ", ".join(names))
