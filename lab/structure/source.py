"""The Python modules of a checkout, as ``git ls-files`` lists them, with what the figures need of each."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

LAB: Final = ("lab", "bench", "chaos")
TESTS: Final = ("tests",)
# Public in spite of the underscore: methods of named tuples, and os._exit.
PUBLIC: Final = ("_asdict", "_replace", "_fields", "_make", "_exit")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file: its path below the checkout, its dotted name (a package's without ``__init__``) and its text."""

    path: Path
    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        """All lines of the file, blank ones too."""
        return len(self.text.splitlines())

    @property
    def area(self) -> str:
        """``product``, ``lab`` or ``tests``."""
        top = self.name.partition(".")[0]
        return "tests" if top in TESTS else "lab" if top in LAB else "product"

    @property
    def is_empty(self) -> bool:
        """Whether it holds no more than a docstring, as most ``__init__.py`` do."""
        return all(isinstance(it, ast.Expr) and isinstance(it.value, ast.Constant) for it in self.tree.body)

    @property
    def is_entry(self) -> bool:
        """Whether ``python -m`` runs it: it is a ``__main__.py`` or has a guard of ``__name__``."""
        return self.path.name == "__main__.py" or any(_is_guard(it) for it in self.tree.body)

    def function_lines(self) -> Iterator[int]:
        """The length of each function and method, from ``def`` to its last line."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield (node.end_lineno or node.lineno) - node.lineno + 1

    def classes(self) -> Iterator[str]:
        """The names of the classes that stand at the module's top level."""
        return (it.name for it in self.tree.body if isinstance(it, ast.ClassDef))

    def imports(self) -> Iterator[str]:
        """Every name that an import statement asks for, in dotted form, also inside functions: ``a.b`` or ``a.b.c``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (it.name for it in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{self._base(node)}.{it.name}" for it in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".") if self.path.name == "__init__.py" else self.name.split(".")[:-1]
        return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])

    def private_accesses(self) -> Iterator[tuple[int, str]]:
        """Line and name of each private attribute or import but for those of ``self``, ``cls`` or its own class."""
        yield from _private(self.tree, ("self", "cls"))


def modules(checkout: Path) -> list[Module]:
    """Every tracked Python file that is there. Raises CalledProcessError where ``checkout`` is none of Git's."""
    command = ("git", "-C", str(checkout), "ls-files", "-z", "*.py")
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return list(_read(checkout, (Path(it) for it in listed if it)))


def _read(checkout: Path, paths: Iterable[Path]) -> Iterator[Module]:
    for path in paths:
        if (checkout / path).is_file():
            parts = path.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(path, name, (checkout / path).read_text())


def _is_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) and "__main__" in ast.unparse(node.test)


def _private(node: ast.AST, own: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.ClassDef):
        own = (*own, node.name)
    if isinstance(node, ast.Attribute) and _is_private(node.attr) and not _is_own(node.value, own):
        yield node.lineno, node.attr
    if isinstance(node, ast.ImportFrom):
        yield from ((node.lineno, it.name) for it in node.names if _is_private(it.name))
    for child in ast.iter_child_nodes(node):
        yield from _private(child, own)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in PUBLIC


def _is_own(value: ast.expr, own: tuple[str, ...]) -> bool:
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "super"
    return isinstance(value, ast.Name) and value.id in own
