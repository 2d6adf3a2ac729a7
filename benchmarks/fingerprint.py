"""The identity of the measured code: values may be mixed only where it is the same.

It covers every module that a measured process imports as it starts, not what a function imports.
Comments, docstrings, layout and the words for readers do not change it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent
ENTRY_POINTS = ("worker", "alone", "own")
"""What measured processes run, or import when it is needed; probes are found in their folder."""
WORDS = frozenset({"label", "meaning", "section", "introduction"})
"""Arguments that only readers see."""


def fingerprint(package: Path = PACKAGE) -> str:
    """SHA-256, in hexadecimal, of the measured modules below ``package``."""
    digest = hashlib.sha256()
    for path in measured_modules(package):
        name = path.relative_to(package).as_posix()
        digest.update(f"{name}\0{code_of(path.read_text(encoding='utf-8'))}\0".encode())
    return digest.hexdigest()


def measured_modules(package: Path = PACKAGE) -> list[Path]:
    """The files that measured processes import from ``package``, in a fixed order."""
    found: set[Path] = set()
    to_do = [package / f"{name}.py" for name in ENTRY_POINTS]
    to_do += (package / "probes").glob("*.py")
    while to_do:
        path = to_do.pop()
        if path not in found:
            found.add(path)
            to_do += _imported(path, package)
    return sorted(found)


def _imported(path: Path, package: Path) -> Iterator[Path]:
    """The files of the package that a file imports, with the packages that they are in."""
    for node in _run_by_import(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            top, *parts = name.split(".")
            if top == package.name:
                for end in range(len(parts) + 1):
                    yield from _files_of(package.joinpath(*parts[:end]))


def _run_by_import(node: ast.AST) -> Iterator[ast.AST]:
    """What is below a node and not in a function."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _run_by_import(child)


def _files_of(module: Path) -> Iterator[Path]:
    """The file of a module, or of a package; nothing where the name is no module."""
    for path in (module.with_suffix(".py"), module / "__init__.py"):
        if path.is_file():
            yield path


def code_of(source: str) -> str:
    """The source without what does not run, in one form."""
    return ast.unparse(_Stripped().visit(ast.parse(source)))


class _Stripped(ast.NodeTransformer):
    """Removes strings that stand alone, such as docstrings, and words for readers."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if getattr(node, "body", None) == []:
            vars(node)["body"] = [ast.Pass()]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_string = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_string else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in WORDS]
        return self.generic_visit(node)
