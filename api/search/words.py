"""Clauses for words: exact, prefix, or fuzzy matches, boosted in that order.

Words and index are folded and cut alike (tables/text/folding.py), so case, accents and signs don't matter.
"""

from typing import Any, Final

from tables.text.folding import words

Json = dict[str, Any]

FIELDS: Final = {"title": 6, "city": 4, "tags": 4, "venue": 3, "organizer": 2, "description": 1}
WORDS_MAX: Final = 16
# One or two words must all match, of more three quarters.
MINIMUM_SHOULD_MATCH: Final = "2<75%"
PREFIX_BOOST, FUZZY_BOOST, PHRASE_BOOST = 0.5, 0.25, 2.0
# More than any other score: who types a whole title means it.
TITLE_BOOST: Final = 1_000.0
PREFIX_MIN_CHARACTERS, FUZZY_MIN_CHARACTERS = 3, 3


def matching(q: str, *, forgiving: bool = True) -> list[Json]:
    """The clauses for the words of a query, with fuzzy matches or without; none without words."""
    asked_for = words(q)
    if not asked_for:
        return []
    some = asked_for[:WORDS_MAX]
    clauses = [_found(word, last=place == len(some) - 1, forgiving=forgiving) for place, word in enumerate(some)]
    asked: Json = {"should": clauses, "minimum_should_match": MINIMUM_SHOULD_MATCH}
    better: list[Json] = [_is_title(asked_for)]
    if len(some) > 1:
        better.append({"match_phrase": {"folded.title": {"query": " ".join(some), "slop": 1, "boost": PHRASE_BOOST}}})
    return [{"bool": {"must": [{"bool": asked}], "should": better}}]


def _is_title(asked_for: list[str]) -> Json:
    return {"constant_score": {"filter": {"term": {"keys.title": " ".join(asked_for)}}, "boost": TITLE_BOOST}}


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
