"""Clauses for words: exact, prefix, or fuzzy matches, boosted in that order.

Words and index are folded alike (tables/text/folding.py), so case and accents don't matter.
"""

import re
from typing import Any, Final

Json = dict[str, Any]

FIELDS: Final = {"title": 6, "city": 4, "tags": 4, "venue": 3, "organizer": 2, "description": 1}
MAX_WORDS: Final = 16
# One or two words must all match, of more three quarters.
MINIMUM_SHOULD_MATCH: Final = "2<75%"
PREFIX_BOOST, FUZZY_BOOST, PHRASE_BOOST = 0.5, 0.25, 2.0
PREFIX_MIN_CHARACTERS, FUZZY_MIN_CHARACTERS = 3, 4

_WORD: Final = re.compile(r"[^\W_]+")


def matching(folded: str, *, forgiving: bool = True) -> list[Json]:
    """The clauses for folded words, with fuzzy matches or without; none without words."""
    words = _WORD.findall(folded)[:MAX_WORDS]
    if not words:
        return []
    clauses = [_found(word, last=place == len(words) - 1, forgiving=forgiving) for place, word in enumerate(words)]
    asked: Json = {"should": clauses, "minimum_should_match": MINIMUM_SHOULD_MATCH}
    row = {"match_phrase": {"folded.title": {"query": " ".join(words), "slop": 1, "boost": PHRASE_BOOST}}}
    return [{"bool": {"must": [{"bool": asked}], "should": [row] if len(words) > 1 else []}}]


def _found(word: str, *, last: bool, forgiving: bool) -> Json:
    ways = [_in_fields(word, type="cross_fields", operator="and")]
    if last or len(word) >= PREFIX_MIN_CHARACTERS:
        ways.append(_in_fields(word, type="bool_prefix", operator="and", boost=PREFIX_BOOST))
    if forgiving and len(word) >= FUZZY_MIN_CHARACTERS:
        # The first letter is rarely mistyped, and without it many more words would be compared.
        ways.append(_in_fields(word, operator="and", fuzziness="AUTO", prefix_length=1, boost=FUZZY_BOOST))
    return {"dis_max": {"queries": ways}}


def _in_fields(word: str, **how: Any) -> Json:
    return {
        "multi_match": {"query": word, "fields": [f"folded.{name}^{worth}" for name, worth in FIELDS.items()]} | how
    }
