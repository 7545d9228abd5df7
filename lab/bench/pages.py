"""The figures as Markdown: a page in ``lab/bench/results/``, the marked section of the README."""

import re
from pathlib import Path
from typing import Final

from lab.bench.archive import FOLDER, Measured, Results
from lab.bench.figures import CATALOGUE, Figure

README: Final = Path(__file__).parents[2] / "README.md"
BEGIN: Final = "<!-- figures: written by `python -m lab.bench readme` -->"
END: Final = "<!-- figures: end -->"
HEAD: Final = ("| | measured | spread | wanted |", "|---|---|---|---|")
BUSY_SHARE: Final = 0.05


def table(results: Results) -> str:
    """One row per figure, in the order of figures.py: meaning, median and unit, least to most, goal."""
    rows = [_row(figure, results.figures[key]) for key, figure in CATALOGUE.items() if key in results.figures]
    return "\n".join([*HEAD, *rows])


def page(results: Results) -> str:
    """``lab/bench/results/latest.md``: the machine, the table, and where each figure comes from."""
    machine = "\n".join(f"- {name}: {value}" for name, value in results.machine.items())
    origins = "\n".join(_origin(key, measured) for key, measured in results.figures.items())
    return f"# Measured\n\n{machine}\n\n{table(results)}\n\n## Where each comes from\n\n{origins}\n"


def section(results: Results) -> str:
    """The text between the README's marks."""
    if not results.figures:
        return "Nothing was measured yet: `make bench`."
    machine = results.machine
    place = f"{machine['cores']} cores ({machine['processor']}), {machine['memory']}, Python {machine['python']}"
    commits = ", ".join(sorted({measured.commit for measured in results.figures.values()}))
    return (
        f"`make bench` on {place}; everything, the load included, shares these cores. Medians of the runs, from the\n"
        f"least to the most of them; commits {commits}. [docs/performance.md](docs/performance.md) tells how.\n\n"
        f"{table(results)}"
    )


def inserted(text: str, results: Results) -> str:
    """The README with the section between its marks. Raises ValueError if the marks are missing."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the README lacks the lines {BEGIN!r} and {END!r}")
    return pattern.sub(lambda _: f"{BEGIN}\n{section(results)}\n{END}", text)


def write(results: Results) -> None:
    """Write both, the page only if there are figures."""
    if results.figures:
        (FOLDER / "latest.md").write_text(page(results))
    README.write_text(inserted(README.read_text(), results))


def number(value: float) -> str:
    """A number with thousands separators and significant digits only."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


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
