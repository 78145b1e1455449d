"""What the extension says to its user, read from its source: labels, tooltips, reports, errors. No bpy.

A formatted string becomes a template with {} where values stand: f"Frame {number}" is "Frame {}".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_WORDS = {"text", "name", "description", "title", "confirm_text", "heading", "unit_text", "placeholder"}
_CALLS = {"poll_message_set", "paragraph", "report", "append", "say", "CoreState", "Fault", "refuse", "tr", "tr_error"}
_CLASS_ATTRIBUTES = {"bl_label", "bl_description"}
_NO_WORDS = re.compile(r"[A-Z][A-Z0-9_]+|.*[|].*|[a-z]|v[0-9]")  # codes, icons, patterns, single letters
_OURS = {
    "Basis",
    "KHR_mesh_quantization",
    "UVMap",
    "take.npz",
    "{} px{}",
    "Application Support",
    "{} ms",
    "{} s",
    "{} m",
    "{}: '{}' is not name==version with hashes",
}
_SENTENCE = re.compile(r"(?!Line |N2F )[A-Z{'].*[a-z][:,]? ")  # what a function returns and a panel shows
_DEFECTS = {"RuntimeError", "ValueError", "TypeError", "KeyError", "ProtocolError", "NotImplementedError"}
"""Names in the file and units, which are the same in every language."""


def spoken(path: Path) -> Iterator[str]:
    """Every string of a file that a user may read."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            found = _of_class(node)
        elif isinstance(node, ast.Call):
            found = _of_call(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            found = _of_items(node.value)  # kept under a name, for several properties
        elif isinstance(node, ast.Return) and node.value is not None:
            found = (text for text in _texts(node.value) if _SENTENCE.match(text))
        else:
            continue
        yield from (text for text in found if not _NO_WORDS.fullmatch(text) and text not in _OURS)


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    operator = any("Operator" in ast.unparse(base) for base in node.bases)
    described = False
    for item in node.body:
        if not isinstance(item, ast.Assign) or not isinstance(item.targets[0], ast.Name):
            continue
        if item.targets[0].id in _CLASS_ATTRIBUTES:
            yield from _texts(item.value)
            described |= item.targets[0].id == "bl_description"
    if operator and not described and node.name.startswith("N2F_OT"):
        yield " ".join((ast.get_docstring(node) or "").split())


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for keyword in node.keywords:
        if keyword.arg in _WORDS and name not in {"relative_to", "MeshData"}:
            yield from _texts(keyword.value)
        if keyword.arg == "items":
            yield from _of_items(keyword.value)
    if name in _CALLS or (name.endswith(("Error", "Unavailable")) and name not in _DEFECTS):
        for argument in node.args:
            yield from _texts(argument)


def _of_items(node: ast.expr) -> Iterator[str]:
    """Names and descriptions of an enumeration: (identifier, name, description) each."""
    for element in node.elts if isinstance(node, ast.List | ast.Tuple) else ():
        if isinstance(element, ast.Tuple) and len(element.elts) >= 3:
            for text in element.elts[1:3]:
                yield from _texts(text)


def _texts(node: ast.expr) -> Iterator[str]:
    """Constant, formatted, joined or chosen strings."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if any(letter.isalpha() for letter in node.value):
            yield node.value.strip()
    elif isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
        text = "".join(str(part) for part in parts)
        if any(letter.isalpha() for letter in text.replace("{}", "")):
            yield text
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _chosen(part.value)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from _texts(node.left)
        yield from _texts(node.right)
    elif isinstance(node, ast.Tuple | ast.List):
        for element in node.elts:
            yield from _texts(element)


def _chosen(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _texts(node)
