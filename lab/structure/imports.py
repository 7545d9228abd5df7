"""Who imports whom: circles, and the longest chain of modules each of which imports the next."""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter

from lab.structure.source import Module

Graph = Mapping[str, set[str]]
Circle = frozenset[str]


def import_graph(modules: Iterable[Module]) -> Graph:
    """By module which others of ``modules`` it imports by name. That it loads their packages too doesn't count."""
    known = {it.name: it for it in modules}
    return {name: set(_imported(module, known)) - {name} for name, module in known.items()}


def _imported(module: Module, known: Mapping[str, Module]) -> Iterator[str]:
    for name in module.imports():
        found = name if name in known else name.rpartition(".")[0]
        if found in known:
            yield found


def room_graph(graph: Graph, room: str = "") -> Graph:
    """How the modules and packages right inside ``room`` import each other; the checkout's own without a room."""
    found: dict[str, set[str]] = {}
    for name, imported in graph.items():
        if (inside := _child(name, room)) is not None:
            others = {child for it in imported if (child := _child(it, room)) is not None}
            found.setdefault(inside, set()).update(others - {inside})
    return found


def _child(name: str, room: str) -> str | None:
    """The part of ``room`` that a module belongs to; None where it is outside, or the room's own ``__init__``."""
    prefix = f"{room}." if room else ""
    return prefix + name[len(prefix) :].partition(".")[0] if name.startswith(prefix) else None


def rooms(graph: Graph) -> Iterator[str]:
    """Every package, the checkout itself ("") first."""
    parents = {".".join(parts[:end]) for parts in (name.split(".") for name in graph) for end in range(len(parts))}
    return iter(sorted(parents))


def package_circles(graph: Graph) -> list[Circle]:
    """Circles between the parts of a room of which one at least is a package; those of modules alone are left out."""
    packages = set(rooms(graph))
    found = [circle for room in rooms(graph) for circle in circles(room_graph(graph, room))]
    return [circle for circle in found if circle & packages]


def circles(graph: Graph) -> list[Circle]:
    """The groups of modules that reach each other, in the order of their names."""
    below = {name: reached(graph, [name]) for name in graph}
    found = {frozenset(it for it in others if name in below[it]) for name, others in below.items() if name in others}
    return sorted(found, key=sorted)


def reached(graph: Graph, starts: Iterable[str]) -> set[str]:
    """All that ``starts`` import, and what those import; a start itself only where one of them imports it."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        fresh = graph[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found


def longest_chain(graph: Graph) -> list[str]:
    """The most modules that import one another in a row. The modules of a circle stand in it one after another."""
    whole = {name: circle for circle in circles(graph) for name in circle}
    units = {name: whole.get(name, frozenset({name})) for name in graph}
    below = {unit: {units[it] for name in unit for it in graph[name]} - {unit} for unit in units.values()}
    chains: dict[Circle, list[str]] = {}
    for unit in TopologicalSorter(below).static_order():
        rest = max((chains[it] for it in below[unit]), key=lambda it: (len(it), it), default=[])
        chains[unit] = [*sorted(unit), *rest]
    return max(chains.values(), key=lambda it: (len(it), it), default=[])
