"""Money never meets a float: not as a literal, a name, or by true division."""

from __future__ import annotations

import ast
from pathlib import Path

import modelmint.commerce

FILES = sorted(Path(modelmint.commerce.__file__).parent.rglob("*.py"))


def floats_in(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        named = isinstance(node, ast.Name) and node.id == "float"
        divided = isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div)
        if literal or named or divided:
            found.append(ast.unparse(node))
    return found


def test_commerce_holds_no_float() -> None:
    assert len(FILES) > 10
    assert {file.name: found for file in FILES if (found := floats_in(file.read_text()))} == {}


def test_the_search_for_floats_finds_them() -> None:
    assert sorted(floats_in("x = 0.5\ny: float = a / b\nz /= 2")) == ["0.5", "a / b", "float", "z /= 2"]
