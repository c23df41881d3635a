"""What can go wrong between a request and an answer."""

from __future__ import annotations

from modelmint.kit.errors import Corrupted, InvalidInput, ModelmintError


class BadRequestBody(InvalidInput):
    """A request body that is not the JSON we can read."""

    code = "bad_request_body"
    status = 400


class BadBase64(InvalidInput):
    """A text that should be base64 and is not."""

    code = "bad_base64"


class TooManyInputs(InvalidInput):
    """More inputs in one call than are allowed."""

    code = "too_many_inputs"
    status = 413


class EmptyInput(InvalidInput):
    """A call without any input, or an input of no bytes."""

    code = "empty_input"


class BadTensor(InvalidInput):
    """Encoded inputs of a shape or type that the model does not take, or with NaN or infinity in them."""

    code = "bad_tensor"


class BadSettings(InvalidInput):
    """Task settings that are unknown or impossible."""

    code = "bad_settings"


class BadDecisionRule(InvalidInput):
    """A decision rule that does not fit the labels, or has impossible bounds."""

    code = "bad_decision_rule"


class BadOutputs(Corrupted):
    """A graph gave something that cannot be an answer (wrong shape, not finite)."""

    code = "bad_outputs"


def name_input(error: ModelmintError, index: int, total: int) -> None:
    """Say in ``error`` which of ``total`` inputs it is about (0-based ``index``); renumbers when said before.

    The class and the code stay; ``details["input"]`` carries the index for machines.
    """
    reason = str(error.details.get("reason", error.message))
    error.details.update(input=index, reason=reason)
    error.message = reason if total == 1 else f"input {index + 1} of {total}: {reason}"
    error.args = (error.message,)
