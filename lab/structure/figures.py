"""The figures of a checkout, each with its detail: what to look at when it is not what it should be."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from lab.structure.imports import Graph, circles, import_graph, longest_chain, package_circles, reached
from lab.structure.source import Module, modules

# The rooms that may reach into Faust, aiokafka and kafka-python.
WALLED: Final = ("streams.runtime.", "connect.records.")
# Where a purchase passes, from the socket to its outcome.
PURCHASE: Final = (
    "api.http.server",
    "api.http_application",
    "api.adapters.ledger.client",
    "streams.inventory.ledger",
)
HTTP_SERVER: Final = "api.http."
CONTRACTS: Final = ("tool", "importlinter", "contracts")


class Figure(NamedTuple):
    """A line of the table: a number, and the names behind it."""

    name: str
    value: float
    detail: str = ""


def figures(checkout: Path) -> list[Figure]:
    """Every figure of the checkout, in the order of the table."""
    found = modules(checkout)
    product = [it for it in found if it.area == "product"]
    return [
        *_sizes(found, product),
        *import_figures(product),
        *_contracts(checkout),
        *_names(product),
        *_entries(found),
    ]


def _sizes(found: list[Module], product: list[Module]) -> Iterator[Figure]:
    full = [it for it in product if not it.is_empty]
    yield Figure("product modules", len(full))
    for area in ("product", "lab", "tests"):
        yield Figure(f"{area} lines", sum(it.lines for it in found if it.area == area))
    longest = max(full, key=lambda it: it.lines)
    http = [it for it in product if it.name.startswith(HTTP_SERVER)]
    yield Figure(
        "HTTP server's room, lines", sum(it.lines for it in http), _counted((it.name, it.lines) for it in http)
    )
    yield Figure("median module, lines", median(it.lines for it in full))
    yield Figure("longest module, lines", longest.lines, str(longest.path))
    lengths = [(lines, it) for it in full for lines in it.function_lines()]
    yield Figure("median function, lines", median(lines for lines, _ in lengths))
    lines, module = max(lengths, key=lambda it: it[0])
    yield Figure("longest function, lines", lines, str(module.path))


def import_figures(product: list[Module]) -> Iterator[Figure]:
    """Chains and circles of imports."""
    graph = import_graph(product)
    yield _chain("longest import chain, modules", graph)
    starts = graph.keys() & set(PURCHASE)
    of_purchase = {name: graph[name] for name in starts | reached(graph, starts)}
    rooms = Counter(name.partition(".")[0] for name in of_purchase)
    yield Figure("modules imported for a purchase", len(of_purchase), _counted(rooms.most_common()))
    yield _chain("longest import chain of a purchase, modules", of_purchase)
    for name, found in (("modules", circles(graph)), ("packages", package_circles(graph))):
        yield Figure(f"circles between {name}", len(found), "; ".join(" ↔ ".join(sorted(it)) for it in found))


def _chain(name: str, graph: Graph) -> Figure:
    chain = longest_chain(graph)
    return Figure(name, len(chain), " → ".join(chain))


def _contracts(checkout: Path) -> Iterator[Figure]:
    table: Any = tomllib.loads((checkout / "pyproject.toml").read_text())
    for name in CONTRACTS:
        table = table.get(name, {})
    kinds = Counter(it["type"] for it in table)
    yield Figure("import contracts", len(table), ", ".join(f"{count} {kind}" for kind, count in kinds.items()))


def _names(product: list[Module]) -> Iterator[Figure]:
    private = [
        (it.path, line, name)
        for it in product
        if not it.name.startswith(WALLED)
        for line, name in it.private_accesses()
    ]
    places = Counter(str(path) for path, _, _ in private)
    yield Figure("private accesses outside of the runtime", len(private), _counted(places.most_common()))
    classes = Counter(name for it in product for name in it.classes())
    twice = [(name, count) for name, count in sorted(classes.items()) if count > 1]
    yield Figure("class names defined more than once", len(twice), _counted(twice))


def _entries(found: list[Module]) -> Iterator[Figure]:
    for area in ("product", "lab", "tests"):
        names = [it.name.removesuffix(".__main__") for it in found if it.area == area and it.is_entry]
        yield Figure(f"entries of python -m, {area}", len(names), ", ".join(names))


def _counted(names: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in names)
