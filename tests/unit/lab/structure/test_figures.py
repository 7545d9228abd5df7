"""The figures of a small tree that has one of everything."""

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from lab.structure.__main__ import main
from lab.structure.figures import HTTP_SERVER, Figure, figures, import_figures
from lab.structure.imports import circles, import_graph, longest_chain, package_circles
from lab.structure.source import modules

CHECKOUT: Final = Path(__file__).parents[4]
CHAIN_MAX_MODULES: Final = 12
HTTP_MAX_LINES: Final = 400
TREE: Final = {
    "pyproject.toml": 2 * '[[tool.importlinter.contracts]]\ntype = "layers"\n',
    "api/__init__.py": '"""The API."""\n',
    "api/__main__.py": "from api import app\n\napp.run()\n",
    "api/app.py": "from api.rooms import sale\nimport tables\n\n\ndef run():\n    sale.Sale()._sell()\n",
    "api/rooms/__init__.py": "",
    "api/rooms/sale.py": "from ..texts import _word\n\n\nclass Sale:\n    def _sell(self):\n        self._w = _word\n",
    "api/http/server.py": "PORT = 80\n",
    "api/texts.py": "import ops\n\n_word = ops.Sale\n",
    "ops.py": "class Sale: ...\n\n\ndef late():\n    from api import texts\n\n    return texts._asdict()\n",
    "tables.py": 'import os\n\nif __name__ == "__main__":\n    os._exit(os._x)\n',
    "streams/inventory/ledger.py": "from streams.runtime import app\n",
    "streams/runtime/app.py": "import faust\n\nfaust.app._private\n",
    "lab/bench.py": "import api\n\napi._x\n",
    "tests/test_api.py": "import api\n",
    "unknown.py": "not Python, and not known to Git",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The tree, of which Git knows all but one file."""
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(("git", "init", "--quiet"), cwd=tmp_path, check=True)
    subprocess.run(("git", "add", "--all", ":!unknown.py"), cwd=tmp_path, check=True)
    return tmp_path


def test_every_figure_of_a_tree(tree: Path) -> None:
    assert figures(tree) == [
        Figure("product modules", 9),
        Figure("product lines", 35),
        Figure("lab lines", 3),
        Figure("tests lines", 1),
        Figure("HTTP server's room, lines", 1, "api.http.server 1"),
        Figure("median module, lines", 3),
        Figure("longest module, lines", 7, "ops.py"),
        Figure("median function, lines", 2),
        Figure("longest function, lines", 4, "ops.py"),
        Figure("longest import chain, modules", 5, "api.__main__ → api.app → api.rooms.sale → api.texts → ops"),
        Figure("modules imported for a purchase", 3, "streams 2, api 1"),
        Figure("longest import chain of a purchase, modules", 2, "streams.inventory.ledger → streams.runtime.app"),
        Figure("circles between modules", 1, "api.texts ↔ ops"),
        Figure("circles between packages", 1, "api ↔ ops"),
        Figure("import contracts", 2, "2 layers"),
        Figure("private accesses outside of the runtime", 3, "api/app.py 1, api/rooms/sale.py 1, tables.py 1"),
        Figure("class names defined more than once", 1, "Sale 2"),
        Figure("entries of python -m, product", 2, "api, tables"),
        Figure("entries of python -m, lab", 0),
        Figure("entries of python -m, tests", 0),
    ]


def test_a_tree_without_circles_has_its_longest_chain(tree: Path) -> None:
    found = [it for it in modules(tree) if it.name.startswith("api")]
    graph = import_graph(found)
    assert longest_chain(graph) == ["api.__main__", "api.app", "api.rooms.sale", "api.texts"]
    assert (circles(graph), package_circles(graph)) == ([], [])


def test_rooms_of_a_package_that_import_each_other_are_a_circle_though_no_modules_are() -> None:
    graph = {"api.a.x": {"api.b.x"}, "api.b.x": set[str](), "api.b.y": {"api.a.y"}, "api.a.y": set[str]()}
    assert circles(graph) == []
    assert package_circles(graph) == [frozenset({"api.a", "api.b"})]


def test_two_trees_stand_beside_each_other(tree: Path) -> None:
    printed = CliRunner().invoke(main, ["--tree", str(tree), "--tree", str(tree), "--detail"]).output
    assert [line.split() for line in printed.splitlines() if line.startswith("product lines")] == [
        ["product", "lines", "35", "35"]
    ]
    assert "circles between packages: api ↔ ops" in printed


def test_programs_get_the_figures_by_tree(tree: Path) -> None:
    told = json.loads(CliRunner().invoke(main, ["--tree", str(tree), "--json"]).output)
    assert told[str(tree)][1] == {"name": "product lines", "value": 35, "detail": ""}


def test_a_purchase_passes_a_short_chain_of_imports_and_there_are_no_circles() -> None:
    product = [it for it in modules(CHECKOUT) if it.area == "product"]
    found = {it.name: it for it in import_figures(product)}
    chain = found["longest import chain of a purchase, modules"]
    assert 0 < chain.value <= CHAIN_MAX_MODULES, chain.detail
    assert (found["circles between modules"].detail, found["circles between packages"].detail) == ("", "")


def test_the_http_server_is_small() -> None:
    lines = {it.name: it.lines for it in modules(CHECKOUT) if it.name.startswith(HTTP_SERVER)}
    assert 0 < sum(lines.values()) <= HTTP_MAX_LINES, lines
