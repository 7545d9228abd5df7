"""The report of a run: on the terminal, and as a page and figures in the run's folder."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from lab.chaos.checker import CHECKS
from lab.chaos.checks.finding import Verdict
from lab.chaos.run import Options, Result

FINDINGS_SHOWN_MAX: Final = 20
PROMISES: Final = {
    1: "nothing is oversold",
    2: "no false sold out",
    3: "everything accepted is decided once, and always told the same",
    4: "all of it through every crash and cut",
    5: "the index equals PostgreSQL, drafts stay hidden",
    6: "every due mail, to the right account alone",
    7: "unreadable records block nothing",
    8: "nobody reaches what belongs to another account",
    10: "captured less refunded is what the confirmed tickets are worth",
}


def folder(reports: Path, seed: int, minutes: float, without: Sequence[str]) -> Path:
    """Make the empty folder of a run."""
    more = f"-and-{len(without) - 1}-more" if len(without) > 1 else ""
    lacks = f"-without-{without[0].replace(' ', '-')}{more}" if without else ""
    made = reports / f"seed-{seed}-{minutes:g}-minutes{lacks}"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    return made


def write(folder: Path, options: Options, result: Result) -> None:
    """Write ``report.json`` and ``report.md``."""
    figures = {
        "seed": options.seed,
        "minutes": options.seconds / 60,
        "without": list(options.without),
        "took_s": round(result.seconds, 1),
        "survived": dict(_by_kind(result.survived)),
        "ended by themselves": dict(result.ended),
        "checked": dict(result.verdict.checked),
        "told": dict(result.verdict.told),
        "broken": [str(finding) for finding in result.verdict.broken],
    }
    (folder / "report.json").write_text(json.dumps(figures, indent=1) + "\n")
    (folder / "report.md").write_text(_page(options, result))


def show(console: Console, folder: Path, options: Options, result: Result) -> None:
    """Print the result, and what to do next."""
    kinds = ", ".join(f"{count} × {kind}" for kind, count in _by_kind(result.survived).items())
    console.print(f"\nfaults survived: {sum(result.survived.values())} ({kinds})")
    if result.ended:
        ended = ", ".join(f"{count} × {name}" for name, count in result.ended.items())
        console.print(f"ended by themselves rather than go on in doubt, and were started again: {ended}")
    show_verdict(console, result.verdict)
    console.print(f"report, history, evidence and logs: {folder}")
    again = f"make chaos SEED={options.seed} MINUTES={options.seconds / 60:g}"
    if result.verdict.broken:
        console.print(f"next: look at the first line above in {folder}/history.jsonl and logs/; again: {again}")
        console.print(f"      judge the same evidence once more: .venv/bin/python -m lab.chaos check {folder}")
    else:
        console.print(f"next: another seed, e.g. make chaos SEED={options.seed + 1}; this one again: {again}")


def show_verdict(console: Console, verdict: Verdict) -> None:
    """Print what was checked and what is broken."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, count in verdict.checked.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    console.print("decisions: " + ", ".join(f"{count:,} {kind}" for kind, count in verdict.told.most_common()))
    console.print("compared: " + "; ".join(CHECKS))
    for finding in verdict.broken[:FINDINGS_SHOWN_MAX]:
        console.print(f"broken: {finding}", markup=False)
    if len(verdict.broken) > FINDINGS_SHOWN_MAX:
        console.print(f"… and {len(verdict.broken) - FINDINGS_SHOWN_MAX} more")
    for promise, text in PROMISES.items():
        count = sum(finding.promise == promise for finding in verdict.broken)
        console.print(f"promise {promise} {'broken ' + str(count) + ' times' if count else 'held'}: {text}")


def _by_kind(survived: Counter[str]) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for name, count in survived.items():
        kinds[name.partition(" ")[0]] += count
    return kinds


def _page(options: Options, result: Result) -> str:
    verdict = result.verdict
    lines = [f"# Chaos run, seed {options.seed}, {options.seconds / 60:g} minutes", ""]
    lines += [f"{'Broken' if verdict.broken else 'Every promise held'} ({result.seconds:.0f} s in all).", ""]
    lines += _section("Faults survived", (f"{count} × {name}" for name, count in sorted(result.survived.items())))
    lines += _section("Ended by themselves", (f"{count} × {name}" for name, count in result.ended.items()))
    lines += _section("Looked at", (f"{name}: {count}" for name, count in verdict.checked.items()))
    lines += _section("Decisions", (f"{kind}: {count}" for kind, count in verdict.told.most_common()))
    lines += _section("Broken", map(str, verdict.broken))
    return "\n".join(lines)


def _section(title: str, items: Iterable[str]) -> list[str]:
    rows = [f"- {item}" for item in items]
    return [f"## {title}", "", *rows, ""] if rows else []
