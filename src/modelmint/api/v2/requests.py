"""An inference request taken apart: the JSON object, and the bytes of binary tensors behind it.

Form: Open Inference Protocol v2, "Inference Request JSON Object", with Triton's binary tensor data extension:
``Inference-Header-Content-Length`` says where the JSON ends, ``parameters.binary_data_size`` of each input how many of
the following bytes are its own, in the order of the inputs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from modelmint.api.v2.errors import BadInferRequest
from modelmint.api.v2.tensors import DATATYPES
from modelmint.api.v2.types import InferRequest, RequestTensor, WantedOutput

HEADER_LENGTH = b"inference-header-content-length"
#: Dimensions of a tensor, inputs and outputs of a request; far more than any model has.
MOST_DIMENSIONS, MOST_TENSORS = 16, 64
LONGEST_NAME, LONGEST_ID = 256, 512
#: Commas of a request beside those between the elements of its largest tensor.
SPARE_COMMAS = 100_000
#: Whole numbers of JSON that are looked at at all; larger ones are no sizes.
_LARGEST = 2**63 - 1
_ABSENT = object()


def parse(body: bytes, header_length: bytes | None, most_elements: int) -> InferRequest:
    """The request in ``body``; raises ``BadInferRequest`` with every problem found.

    ``most_elements`` is how many elements the largest call of the model can hold: JSON with clearly more commas is
    refused before it is parsed, because parsing millions of numbers would keep the others waiting.
    """
    length = _json_length(body, header_length)
    head = body[:length]
    if head.count(b",") > most_elements + SPARE_COMMAS:
        raise BadInferRequest(f"expected at most {most_elements} elements, found far more in the JSON")
    found = _object(head)
    problems: list[str] = []
    inputs = _inputs(found.get("inputs"), memoryview(body)[length:], problems)
    outputs = _outputs(found.get("outputs"), problems)
    parameters = _parameters(found, "the request", problems)
    identity = found.get("id")
    if identity is not None and (not isinstance(identity, str) or len(identity) > LONGEST_ID or not _whole(identity)):
        problems.append(f"id: expected a text of at most {LONGEST_ID} characters")
    binary, explain = (_flag(parameters, name, problems) for name in ("binary_data_output", "explain"))
    if problems:
        raise BadInferRequest("the inference request cannot be used", problems=problems)
    return InferRequest(tuple(inputs), outputs, identity, binary, parameters, explain)


def _json_length(body: bytes, header_length: bytes | None) -> int:
    if header_length is None:
        return len(body)
    if not (header_length.isdigit() and len(header_length) <= 18 and 0 < int(header_length) <= len(body)):
        raise BadInferRequest(
            f"expected Inference-Header-Content-Length from 1 to {len(body)}, the bytes of the body; found "
            f"{header_length[:40].decode('latin-1')!r}"
        )
    return int(header_length)


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise BadInferRequest(
            f"expected an inference request as JSON in UTF-8, found something else ({str(error)[:200]}); where binary "
            "tensors follow the JSON, send the header Inference-Header-Content-Length"
        ) from error
    if not isinstance(found, dict):
        raise BadInferRequest("expected an inference request as a JSON object, found another kind of JSON")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


def _inputs(given: Any, binary: memoryview, problems: list[str]) -> list[RequestTensor]:
    found: list[RequestTensor] = []
    if not _listed(given, "inputs", problems, least=1):
        return found
    at = 0
    for index, item in enumerate(given):
        where = f"inputs[{index}]"
        if not isinstance(item, dict):
            problems.append(f"{where}: expected an object")
            continue
        before = len(problems)
        name = _name(item, where, problems)
        datatype = item.get("datatype")
        if not isinstance(datatype, str) or datatype not in DATATYPES:
            problems.append(f"{where}.datatype: expected one of {', '.join(DATATYPES)}")
        shape = _shape(item.get("shape"), where, problems)
        size = _binary_size(item, where, problems)
        if size is not None and at + size > len(binary):
            problems.append(f"{where}: expected {size} bytes of binary data, found {len(binary) - at}")
            at = len(binary)
        if len(problems) == before:
            data = item.get("data") if size is None else binary[at : at + size]
            found.append(RequestTensor(name, str(datatype), shape, data))
            at += size or 0
    if not problems and at != len(binary):
        problems.append(f"expected {at} bytes behind the JSON, as the inputs say, found {len(binary)}")
    _no_duplicates([tensor.name for tensor in found], "inputs", problems)
    return found


def _outputs(given: Any, problems: list[str]) -> tuple[WantedOutput, ...] | None:
    if given is None or given == []:
        return None
    found: list[WantedOutput] = []
    if not _listed(given, "outputs", problems, least=0):
        return None
    for index, item in enumerate(given):
        where = f"outputs[{index}]"
        if not isinstance(item, dict):
            problems.append(f"{where}: expected an object")
            continue
        name, parameters = _name(item, where, problems), _parameters(item, where, problems)
        _no_shared_memory(parameters, where, problems)
        binary, classes = parameters.get("binary_data"), parameters.get("classification", 0)
        if binary is not None and not isinstance(binary, bool):
            problems.append(f"{where}.parameters.binary_data: expected true or false")
        if not _is_whole(classes):
            problems.append(f"{where}.parameters.classification: expected a whole number, 0 or more")
            classes = 0
        found.append(WantedOutput(name, binary, classes))
    _no_duplicates([output.name for output in found], "outputs", problems)
    return tuple(found)


def _listed(given: Any, name: str, problems: list[str], *, least: int) -> bool:
    if isinstance(given, list) and least <= len(given) <= MOST_TENSORS:
        return True
    problems.append(f"{name}: expected a list of {least} to {MOST_TENSORS} tensors")
    return False


def _name(item: dict[str, Any], where: str, problems: list[str]) -> str:
    name = item.get("name")
    if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and _whole(name):
        return name
    problems.append(f"{where}.name: expected a text of 1 to {LONGEST_NAME} characters")
    return ""


def _shape(given: Any, where: str, problems: list[str]) -> tuple[int, ...]:
    if isinstance(given, list) and 0 < len(given) <= MOST_DIMENSIONS and all(map(_is_whole, given)):
        return tuple(given)
    problems.append(f"{where}.shape: expected a list of 1 to {MOST_DIMENSIONS} whole numbers, 0 or more")
    return ()


def _binary_size(item: dict[str, Any], where: str, problems: list[str]) -> int | None:
    """Bytes of the input behind the JSON; None where its data stands in the JSON."""
    parameters = _parameters(item, where, problems)
    _no_shared_memory(parameters, where, problems)
    size = parameters.get("binary_data_size", _ABSENT)
    if size is _ABSENT:
        if "data" not in item:
            problems.append(f"{where}: expected data, or parameters.binary_data_size and bytes behind the JSON")
        return None
    if not _is_whole(size):
        problems.append(f"{where}.parameters.binary_data_size: expected a whole number, 0 or more")
        return None
    if "data" in item:
        problems.append(f"{where}: expected data or parameters.binary_data_size, found both")
    return int(size)


def _parameters(item: dict[str, Any], where: str, problems: list[str]) -> dict[str, Any]:
    given = item.get("parameters")
    if given is None:
        return {}
    if not isinstance(given, dict):
        problems.append(f"parameters of {where}: expected an object")
        return {}
    return given


def _flag(parameters: dict[str, Any], name: str, problems: list[str]) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        problems.append(f"parameters.{name}: expected true or false")
    return bool(value)


def _no_shared_memory(parameters: dict[str, Any], where: str, problems: list[str]) -> None:
    if "shared_memory_region" in parameters:
        problems.append(f"{where}: shared memory is not offered here; send the data in the body")


def _no_duplicates(names: Sequence[str], what: str, problems: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problems.append(f"{what}: {', '.join(map(repr, twice))[:200]} comes more than once")


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _whole(text: str) -> bool:
    """Without halves of surrogate pairs, so that it can be sent back."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
