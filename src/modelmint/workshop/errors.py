"""What can go wrong while a model is built."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, Corrupted, InvalidInput, NotFound, PreconditionFailed, Unavailable


class UnknownBase(NotFound):
    """``base`` names no backbone of the catalogue, no folder and no hub id."""

    code = "unknown_base"


class UnusableBase(InvalidInput):
    """The base model is there but cannot be used: no safetensors, missing weights, a size it does not take."""

    code = "unusable_base"


class BaseUnavailable(Unavailable):
    """The base model lies on a model hub that does not answer."""

    code = "base_unavailable"


class DamagedWeights(Corrupted):
    """A weights file is not the one that was pinned or written."""

    code = "damaged_weights"


class DamagedGraph(Corrupted):
    """A candidate's graph is not the one that was scored, judged and timed."""

    code = "damaged_graph"


class TooFewPictures(PreconditionFailed):
    """Training or validation has too few rows to learn from."""

    code = "too_few_rows"


class TrainingDiverged(PreconditionFailed):
    """The loss became infinite or not a number."""

    code = "training_diverged"


class GateFailed(PreconditionFailed):
    """At least one gate failed that was not waived: nothing is released."""

    code = "gate_failed"


class NothingForSale(PreconditionFailed):
    """Every candidate was rejected, so there is nothing to release."""

    code = "nothing_for_sale"


class RecipeFailed(PreconditionFailed):
    """A recipe step could not be applied to this graph."""

    code = "recipe_failed"


class ExportFailed(PreconditionFailed):
    """The trained network cannot be written as an ONNX graph that answers as it does."""

    code = "export_failed"


class UnreadableGraph(InvalidInput):
    """A file that should be an ONNX model is none, is damaged, or reaches outside its folder."""

    code = "unreadable_graph"


class UnusableGraph(InvalidInput):
    """An ONNX model that cannot be sold as it is: its inputs, its outputs, or what it answers do not fit."""

    code = "unusable_graph"


class BuildRunning(Conflict):
    """Another build works in this workspace."""

    code = "build_running"
