"""From a trained torch network to an ONNX graph: input ``pixels``, output ``logits``, any batch size."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from modelmint.inference.engines.registry import ENGINES
from modelmint.workshop.compression.cam import add_cam
from modelmint.workshop.compression.tidy import save, tidy
from modelmint.workshop.errors import ExportFailed

#: The operator set: read by every ONNX Runtime since 1.14 and OpenVINO since 2023.
OPSET = 18
#: Largest difference of a logit between torch and the exported graph, relative to the largest logit.
TOLERANCE = 1e-3


def export(module: nn.Module, shape: tuple[int, int, int], into: Path) -> None:
    """Write ``module`` as ONNX to ``into`` for inputs ``[n, *shape]`` float32; the same weights, the same bytes.

    Batch normalisation is folded by the exporter, padding nodes by ``tidy``. The file is checked and run
    against torch on batches of 1 and 3; raises ``ExportFailed``.
    """
    module = module.eval()
    generator = torch.Generator().manual_seed(0)
    example = torch.randn((2, *shape), generator=generator)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.onnx"
        try:
            with torch.no_grad(), _quiet():
                torch.onnx.export(
                    module,
                    (example,),
                    str(raw),
                    input_names=["pixels"],
                    output_names=["logits"],
                    opset_version=OPSET,
                    dynamo=True,
                    dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
                    external_data=False,
                    verbose=False,
                )
            model = tidy(onnx.load(str(raw)))
            add_cam(model)
            save(model, into)
        except Exception as error:  # torch and onnx raise classes of many families here
            raise ExportFailed(
                f"the network cannot be written as ONNX: {_first_line(error)}. Replace the layer it names, or use "
                "another base"
            ) from error
    _agree(module, shape, into, generator)


def _agree(module: nn.Module, shape: tuple[int, int, int], graph: Path, generator: torch.Generator) -> None:
    engine = ENGINES.get("onnxruntime")(graph, 1)
    try:
        for batch in (1, 3):
            pixels = torch.randn((batch, *shape), generator=generator)
            with torch.no_grad():
                expected = module(pixels).float().numpy()
            found = engine.run(pixels.numpy())
            scale = max(1.0, float(np.abs(expected).max()))
            worst = float(np.abs(found - expected).max()) if found.shape == expected.shape else float("inf")
            if not worst <= TOLERANCE * scale:
                raise ExportFailed(
                    f"the exported graph answers otherwise than the network: logits differ by {worst:.2g} on a batch "
                    f"of {batch}, at most {TOLERANCE * scale:.2g} is allowed"
                )
    finally:
        engine.close()


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'no reason given'}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter prints and warns on stdout, which belongs to ``--json``."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
