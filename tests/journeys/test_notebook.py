"""The notebook of the documentation, run from its first cell to its last by a real kernel."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "notebooks" / "first-mint.ipynb"

pytestmark = pytest.mark.timeout(1800)


class ThisPython(AsyncKernelManager):
    """A kernel of the Python that runs the tests, whatever kernels the machine lists."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], language="python"
        )


@pytest.fixture(scope="module")
def executed(demo: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run beside the folder of the demo, whose steps it finds done: what it shows is of a real build all the same."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copytree(demo.folder, folder / "digits", ignore=shutil.ignore_patterns("serve.json", "*.lock", "run"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=900,
        startup_timeout=600,
        kernel_manager_class=ThisPython,
        resources={"metadata": {"path": folder}},
    )
    client.execute()
    return notebook


def outputs(notebook: Any, word: str, kind: str) -> str:
    """What the first cell shows that holds ``word``."""
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code" and word in cell.source)
    return "".join(out.get("data", {}).get(kind, "") or out.get("text", "") for out in cell.outputs)


def test_the_notebook_is_kept_without_outputs() -> None:
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_it_shows_candidates_metrics_with_intervals_and_diagrams(executed: Any, demo: Any) -> None:
    candidates = outputs(executed, "venture.build()", "text/html")
    assert "int8" in candidates and "chosen" in candidates and "<table>" in candidates
    release = outputs(executed, "venture.releases.latest", "text/html")
    accuracy = demo.report["build"]["metrics"]["accuracy"]
    assert f"{accuracy['value']:.4f} [{accuracy['low']:.4f}, {accuracy['high']:.4f}]" in release
    assert release.count("data:image/svg+xml;base64,") == 3
    assert demo.report["build"]["release"]["id"] in outputs(executed, "venture.releases.latest", "text/plain")


def test_it_answers_and_explains_pictures_of_the_dataset(executed: Any) -> None:
    rows = outputs(executed, "list(pictures[:8])", "text/plain").splitlines()
    read = [row.split()[1] for row in rows if row.startswith("#")]
    assert len(read) == 8
    assert sum(label == str(truth) for truth, label in enumerate(read)) >= 6
    assert "data:image/png;base64," in outputs(executed, "explain=True", "text/html")


def test_the_shop_that_it_opens_refuses_a_call_without_a_key(executed: Any) -> None:
    assert outputs(executed, "venture.serve", "text/plain").startswith("401 ")
