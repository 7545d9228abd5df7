"""The verdict on a run, from its evidence alone. It imports nothing of the project and reads all JSON itself."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from lab.chaos.checks import answers, dead_letters, index, ledger, mails, money, privacy, projections, seats
from lab.chaos.checks.case import COMMANDS, OUTCOMES, Case
from lab.chaos.checks.finding import Finding, Findings, Verdict
from lab.chaos.evidence import Evidence

CHECKS: Final[dict[str, Callable[[Case], Findings]]] = {
    "the log, the outcomes and the ledger's records": ledger.check,
    "every answer to the client": answers.check,
    "PostgreSQL, the workers' views and the buyers' lists": projections.check,
    "the seats": seats.check,
    "the search index": index.check,
    "the mails": mails.check,
    "the provider's books": money.check,
    "the dead letters": dead_letters.check,
    "access by strangers": privacy.check,
}


def judge(evidence: Evidence) -> Verdict:
    """Carry out all checks. A failure of the run itself is a finding too."""
    case = Case(evidence)
    verdict = Verdict([Finding(4, text) for text in evidence.run.get("failed", ())])
    for check in CHECKS.values():
        verdict.broken += check(case)
    verdict.checked = _checked(case)
    verdict.told = Counter(told.kind for told in case.model.outcomes)
    return verdict


def _checked(case: Case) -> Counter[str]:
    evidence = case.evidence
    return Counter(
        {
            "requests, with every try": sum("status" in note for note in evidence.history),
            "commands in the log": len(evidence.topics[COMMANDS]),
            "outcomes": len(evidence.topics[OUTCOMES]),
            "purchases decided": len(case.model.purchases),
            "records that came again": len(case.notes("copy")),
            "records that nobody can read": len(case.notes("poison", "bomb")),
            "records in transactions": sum("ends" in note for note in evidence.history),
            "rows in PostgreSQL": sum(len(rows) for rows in evidence.tables.values()),
            "documents": len(evidence.documents),
            "views": len(evidence.views) + len(evidence.purchases),
            "mails": len(evidence.mails),
            "payments at Paper": len(evidence.books),
            "payments captured": sum(book["captured"] > 0 for book in evidence.books),
            "payments refunded": sum(book["refunded"] > 0 for book in evidence.books),
            "mails that came more than once": mails.repeats(case),
            "tries at what is another's": len(case.notes("intrude")),
            **seats.counts(case),
        }
    )
