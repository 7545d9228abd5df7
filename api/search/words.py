"""How words find events: as they are, begun, or with a typing error; in that order of worth.

Words and index are folded alike (tables/text/folding.py), so case and accents never matter.
"""

import re
from typing import Any, Final

Json = dict[str, Any]

FIELDS: Final = {"title": 6, "city": 4, "tags": 4, "venue": 3, "organizer": 2, "description": 1}
MOST_WORDS: Final = 16
# Of one or two words all must be found, of more three quarters: so a word that says little may be absent.
ENOUGH: Final = "2<75%"
BEGUN, MISTYPED, IN_A_ROW = 0.5, 0.25, 2.0
SHORTEST_BEGUN, SHORTEST_MISTYPED = 3, 4

_WORD: Final = re.compile(r"[^\W_]+")


def matching(folded: str, *, forgiving: bool = True) -> list[Json]:
    """The clauses that folded words ask for, with typing errors or without; none without words."""
    words = _WORD.findall(folded)[:MOST_WORDS]
    if not words:
        return []
    clauses = [_found(word, last=place == len(words) - 1, forgiving=forgiving) for place, word in enumerate(words)]
    asked: Json = {"should": clauses, "minimum_should_match": ENOUGH}
    row = {"match_phrase": {"folded.title": {"query": " ".join(words), "slop": 1, "boost": IN_A_ROW}}}
    return [{"bool": {"must": [{"bool": asked}], "should": [row] if len(words) > 1 else []}}]


def _found(word: str, *, last: bool, forgiving: bool) -> Json:
    ways = [_in_fields(word, type="cross_fields", operator="and")]
    if last or len(word) >= SHORTEST_BEGUN:
        ways.append(_in_fields(word, type="bool_prefix", operator="and", boost=BEGUN))
    if forgiving and len(word) >= SHORTEST_MISTYPED:
        # The first letter is rarely mistyped, and without it many more words would have to be compared.
        ways.append(_in_fields(word, operator="and", fuzziness="AUTO", prefix_length=1, boost=MISTYPED))
    return {"dis_max": {"queries": ways}}


def _in_fields(word: str, **how: Any) -> Json:
    return {
        "multi_match": {"query": word, "fields": [f"folded.{name}^{worth}" for name, worth in FIELDS.items()]} | how
    }
