"""The figures as Markdown: a page in ``lab/bench/results/``, and marked sections of README and docs/performance.md."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from lab.bench.archive import FOLDER, Measured, Results
from lab.bench.figures import CATALOGUE, Figure

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
PERFORMANCE: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- figures: written by `python -m lab.bench readme` -->"
END: Final = "<!-- figures: end -->"
NOTHING: Final = "Nothing was measured yet: `make bench`."
HEAD: Final = ("| | measured | spread | wanted |", "|---|---|---|---|")
BUSY_SHARE: Final = 0.05
# These hardly depend on the machine: ratios within one run, and recoveries, of which timeouts are the largest part.
README_KEYS: Final = (
    "rest.baseline_ratio_many",
    "rest.baseline_ratio_hot",
    "recovery.worker_s",
    "recovery.takeover_s",
    "recovery.broker_s",
    "recovery.postgres_s",
)


def table(results: Results, keys: Iterable[str] = CATALOGUE) -> str:
    """One row per measured figure of ``keys``, in their order: meaning, median and unit, least to most, goal."""
    rows = [_row(CATALOGUE[key], results.figures[key]) for key in keys if key in results.figures]
    return "\n".join([*HEAD, *rows])


def page(results: Results) -> str:
    """``lab/bench/results/latest.md``: the machine, and every run of each figure with the machine's pace beside it."""
    machine = "\n".join(f"- {name}: {value}" for name, value in results.machine.items())
    origins = "\n".join(_origin(key, measured) for key, measured in results.figures.items())
    return f"# Measured\n\n{machine}\n\n## Where each comes from\n\n{origins}\n"


def summary(results: Results) -> str:
    """The README's section: the figures of ``README_KEYS``."""
    if not results.figures:
        return NOTHING
    rows = table(results, README_KEYS)
    return f"`make bench` on {_machine(results)}. Medians, from the least to the most of the runs.\n\n{rows}"


def section(results: Results) -> str:
    """The section of docs/performance.md: every figure."""
    if not results.figures:
        return NOTHING
    commits = ", ".join(sorted({measured.commit for measured in results.figures.values()}))
    return (
        f"`make bench` on {_machine(results)}; everything, the load included, shares these cores. Medians of\n"
        f"the runs, from the least to the most of them; commits {commits}.\n\n{table(results)}"
    )


SECTIONS: Final[dict[Path, Callable[[Results], str]]] = {README: summary, PERFORMANCE: section}


def inserted(text: str, part: str) -> str:
    """The text with ``part`` between its marks. Raises ValueError if the marks are missing."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page lacks the lines {BEGIN!r} and {END!r}")
    return pattern.sub(lambda _: f"{BEGIN}\n{part}\n{END}", text)


def write(results: Results) -> None:
    """Write all pages; the one in ``lab/bench/results/`` only if there are figures."""
    if results.figures:
        (FOLDER / "latest.md").write_text(page(results))
    for path, make in SECTIONS.items():
        path.write_text(inserted(path.read_text(), make(results)))


def number(value: float) -> str:
    """A number with thousands separators and significant digits only."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _machine(results: Results) -> str:
    machine = results.machine
    return f"{machine['cores']} cores ({machine['processor']}), {machine['memory']}, Python {machine['python']}"


def _row(figure: Figure, measured: Measured) -> str:
    busy = f", {measured.elsewhere:.0%} of the machine busy elsewhere" if measured.elsewhere > BUSY_SHARE else ""
    spread = f"{number(measured.least)} to {number(measured.most)} ({len(measured.runs)}){busy}"
    return f"| {figure.about} | {number(measured.median)} {figure.unit} | {spread} | {_goal(figure, measured)} |"


def _goal(figure: Figure, measured: Measured) -> str:
    if figure.goal is None:
        return ""
    sign = "≥" if figure.better == "higher" else "≤"
    return f"{sign} {number(figure.goal)}{'' if figure.met(measured.median) else ', missed'}"


def _origin(key: str, measured: Measured) -> str:
    runs = ", ".join(f"{value:g}" for value in measured.runs)
    job = f", fixed job {', '.join(f'{pace:.0f}' for pace in measured.paces)} ms" if measured.paces else ""
    made = f'{measured.date}, commit {measured.commit}, `make bench ONLY="{measured.measurement}"`{job}'
    return f"- `{key}`: {runs}; {made}"
