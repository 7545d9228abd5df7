"""``python -m tests.unit.streams.runtime.upstream``: record what we override or use privately of Faust and its clients.

A member is ``module:Class.name``, or ``module:name`` for a name of a module that we replace. What it is worth is a hash
of its source: of the method, or of all methods that touch the attribute. Comments and layout don't count.
"""

import ast
import hashlib
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

PACKAGES: Final = {
    "aiokafka": "aiokafka",
    "faust": "faust-streaming",
    "kafka": "kafka-python",
    "mode": "mode-streaming",
}
ROOMS: Final = ("streams.runtime", "connect.records")
RECORD: Final = Path(__file__).with_name("upstream.json")
COMMAND: Final = "python -m tests.unit.streams.runtime.upstream"
HASH_DIGITS: Final = 16
# Documented, in spite of their names.
PUBLIC: Final = ("_asdict", "_exit", "_replace")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Use(NamedTuple):
    """A name that a line of ours takes from upstream, and the class that has it, where that can be told."""

    name: str
    owner: str | None
    line: str


class Record(NamedTuple):
    """What upstream.json holds: versions, owners of the names whose owner no tool can tell, hashes by member."""

    versions: dict[str, str]
    owners: dict[str, list[str]]
    members: dict[str, str]


def read_record() -> Record:
    return Record(**json.loads(RECORD.read_text()))


def our_modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        package = importlib.import_module(room)
        for found in pkgutil.iter_modules(package.__path__, f"{room}."):
            yield importlib.import_module(found.name)


def uses() -> list[Use]:
    """All uses in our rooms."""
    return [use for module in our_modules() for use in uses_in(module, inspect.getsource(module))]


def uses_in(module: ModuleType, source: str) -> list[Use]:
    """What ``source``, a text of this module, overrides, uses privately or replaces."""
    tree = ast.parse(source)
    walk = _Walk(module, _own_names(module, tree))
    walk.visit(tree)
    return walk.found


class _Walk(ast.NodeVisitor):
    def __init__(self, module: ModuleType, own: set[str]) -> None:
        self.found: list[Use] = []
        self._module = module
        self._own = own
        self._class: type | None = None

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._class = _live_class(self._module, node)
        for part in node.body:
            for name in _defined_by(part) if not _is_bare_annotation(part) else ():
                self._add(name, _owner(self._class, name), part, needs_owner=True)
        self.generic_visit(node)
        self._class = None

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if _is_private(node.attr):
            if _is_self(node.value):
                self._add(node.attr, _owner(self._class, node.attr), node, needs_owner=True)
            elif node.attr not in self._own:
                self._add(node.attr, None, node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Also ``getattr(thing, "_name")``."""
        by_name = isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr")
        for each in node.args[1:2] if by_name else ():
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and _is_private(each.value):
                self._add(each.value, None, node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """A class of ours that is put in the place of one of theirs."""
        replacement = getattr(self._module, node.value.id, None) if isinstance(node.value, ast.Name) else None
        for target in node.targets:
            if isinstance(target, ast.Attribute) and inspect.isclass(replacement) and _bases(replacement):
                self._add(target.attr, None, node)
        self.generic_visit(node)

    def _add(self, name: str, owner: str | None, node: ast.AST, *, needs_owner: bool = False) -> None:
        if owner is not None or not needs_owner:
            line = f"{self._module.__name__.replace('.', '/')}.py:{getattr(node, 'lineno', 0)}"
            self.found.append(Use(name, owner, line))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in PUBLIC


def _live_class(module: ModuleType, node: ast.ClassDef) -> type | None:
    found = getattr(module, node.name, None)
    return found if inspect.isclass(found) else None


def _is_self(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return isinstance(called, ast.Name) and called.id in ("self", "cls", "super")


def _is_bare_annotation(part: ast.stmt) -> bool:
    return isinstance(part, ast.AnnAssign) and part.value is None


def _own_names(module: ModuleType, tree: ast.Module) -> set[str]:
    """The private names that classes of this module add to what they inherit."""
    names = set()
    for node in [each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]:
        cls = _live_class(module, node)
        names |= {name for name in _names_of(node) if _owner(cls, name) is None}
    return names


def _bases(cls: type | None) -> list[type]:
    found = [] if cls is None else [base for base in cls.__mro__[1:] if base.__module__.split(".")[0] in PACKAGES]
    return [_pure(base) for base in found]


def _pure(cls: type) -> type:
    """The Python twin of a class that aiokafka compiles."""
    if "._crecords." not in cls.__module__:
        return cls
    module = importlib.import_module(cls.__module__.replace("._crecords", ""))
    twin: type = getattr(module, f"_{cls.__name__}Py")
    return twin


def _owner(cls: type | None, name: str) -> str | None:
    """The first class of theirs that a class of ours has the name from."""
    for base in _bases(cls):
        if name in _names_of(_class_node(base.__module__, base.__qualname__)):
            return f"{base.__module__}:{base.__qualname__}"
    return None


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(importlib.import_module(module)))


@cache
def _class_node(module: str, path: str) -> ast.ClassDef:
    node: Any = _tree(module)
    for part in path.split("."):
        node = next(each for each in ast.walk(node) if isinstance(each, ast.ClassDef) and each.name == part)
    assert isinstance(node, ast.ClassDef)
    return node


@cache
def _names_of(node: ast.ClassDef) -> set[str]:
    """What a class defines in its body, or by ``self.name = …`` in its methods."""
    stored = {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store) and _is_self(each.value)
    }
    return stored | {name for part in node.body for name in _defined_by(part)}


def _defined_by(part: ast.stmt) -> list[str]:
    if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [part.name]
    targets = part.targets if isinstance(part, ast.Assign) else [part.target] if isinstance(part, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def source_of(member: str) -> str:
    """The source that a member stands for, empty where it is gone."""
    module, _, path = member.partition(":")
    owner, _, name = path.rpartition(".")
    try:
        scope = _class_node(module, owner) if owner else _tree(module)
    except (StopIteration, ImportError):
        return ""
    parts: list[ast.stmt] = [part for part in scope.body if name in _defined_by(part)]
    if not all(isinstance(part, Function) for part in parts) or not parts:
        parts = [part for part in parts if not isinstance(part, ast.ClassDef)]
        parts += [each for each in ast.walk(scope) if isinstance(each, Function) and _mentions(each, name)]
    return "\n".join(ast.unparse(part) for part in parts)


def _mentions(function: Function, name: str) -> bool:
    inner = ast.walk(function)
    return any(name in (getattr(each, "attr", None), getattr(each, "id", None)) for each in inner)


def installed(owners: dict[str, list[str]]) -> Record:
    """The record of what is installed and used, with the owners that are known."""
    found = uses()
    members = {f"{use.owner}.{use.name}" for use in found if use.owner is not None}
    foreign = sorted({use.name for use in found if use.owner is None})
    known = {name: owners.get(name, []) for name in foreign}
    members |= {_member(owner, name) for name, places in known.items() for owner in places}
    hashes = {member: _hash(source_of(member)) for member in sorted(members)}
    return Record({each: version(each) for each in sorted(PACKAGES.values())}, known, hashes)


def _member(owner: str, name: str) -> str:
    return f"{owner}{name}" if owner.endswith(":") else f"{owner}.{name}"


def _hash(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:HASH_DIGITS] if source else "gone"


def differences(recorded: Record, now: Record) -> list[str]:
    """A line for each difference, in words."""
    lines = [
        f"{package} {now.versions[package]} is installed, {recorded.versions.get(package)} was recorded"
        for package in now.versions
        if recorded.versions.get(package) != now.versions[package]
    ]
    for member in sorted(recorded.members | now.members):
        before, after = recorded.members.get(member), now.members.get(member)
        if before is None:
            lines.append(f"not recorded: {member}")
        elif after is None:
            lines.append(f"no longer used: {member}")
        elif before != after:
            lines.append(f"changed: {member} (source {before} -> {after})")
    lines += [f"no owner recorded: {name}" for name, places in now.owners.items() if not places]
    return lines + [f"no longer used: {name}" for name in recorded.owners if name not in now.owners]


def candidates(name: str) -> list[str]:
    """The classes of the packages that have a name, for whoever records its owner."""
    found = []
    for package in PACKAGES:
        root = Path(importlib.import_module(package).__path__[0])
        for path in sorted(root.rglob("*.py")):
            text = path.read_text(errors="replace")
            classes = ast.walk(ast.parse(text)) if name in text else ()
            module = ".".join([package, *path.relative_to(root).with_suffix("").parts])
            found += [
                f"{module}:{one.name}" for one in classes if isinstance(one, ast.ClassDef) and name in _names_of(one)
            ]
    return found


def main() -> int:
    """Write upstream.json. Exit code 1 where a name lacks an owner, with the classes that it may be of."""
    recorded = read_record() if RECORD.exists() else Record({}, {}, {})
    now = installed(recorded.owners)
    RECORD.write_text(json.dumps(now._asdict(), indent=1) + "\n")
    for line in differences(recorded, now):
        print(line)
    nameless = [name for name, places in now.owners.items() if not places]
    for name in nameless:
        print(f"write the owner of {name} into {RECORD.name}, one or more of: {', '.join(candidates(name))}")
    return 1 if nameless else 0


if __name__ == "__main__":
    sys.exit(main())
