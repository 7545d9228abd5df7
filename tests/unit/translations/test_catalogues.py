"""The catalogues: every text of the code is in them, translated, with the placeholders and tags of its source."""

import re
from collections import Counter
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from translations.catalogues import LANGUAGES, TRANSLATED, catalogue, catalogue_path, language_of, read_catalogue
from translations.extraction import DOMAINS, extracted, updated

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
EACH = pytest.mark.parametrize(("language", "domain"), [(each, domain) for each in TRANSLATED for domain in DOMAINS])
# What must be the same in a text and its translations: placeholders, tags, and what ends an attribute.
FIXED = re.compile(r"%\(\w+\)s|\{\w+\}|<[^>]*>|[<>&\"]")


def fixed(text: str) -> Counter[str]:
    return Counter(FIXED.findall(text))


def fault(message: Message, forms: int) -> str:
    """What is wrong with a translation; empty if nothing is."""
    if message.fuzzy:
        return "is fuzzy"
    if isinstance(message.id, str):
        assert isinstance(message.string, str | None)
        if not message.string:
            return "has no translation"
        return "" if fixed(message.string) == fixed(message.id) else "has other placeholders or tags"
    texts = list(message.string or ())
    if len(texts) != forms or not all(texts):
        return "lacks a plural form"
    one, many = map(fixed, message.id)
    is_kept = fixed(texts[-1]) == many and all(fixed(text) in (one, many) for text in texts)
    return "" if is_kept else "has other placeholders or tags"


def faults(found: Catalog) -> dict[str, str]:
    return {str(each.id): wrong for each in found if each.id and (wrong := fault(each, found.num_plurals))}


def doctored(text: str, language: str = "pl") -> Catalog:
    return read_po(BytesIO((HEADER + text).encode()), language)


@pytest.fixture(scope="module")
def texts() -> dict[str, Catalog]:
    """The texts of the code by domain."""
    return {domain: extracted(domain) for domain in DOMAINS}


@pytest.mark.parametrize("domain", DOMAINS)
def test_there_are_texts_in_every_domain(texts: dict[str, Catalog], domain: str) -> None:
    assert len(texts[domain]) > 1


@EACH
def test_a_catalogue_has_all_texts_of_the_code_and_no_others(
    texts: dict[str, Catalog], language: str, domain: str
) -> None:
    is_new = catalogue_path(language, domain).read_bytes() == updated(language, domain, texts[domain])
    assert is_new, "`make translations` brings it up to date"


@EACH
def test_every_text_is_translated(language: str, domain: str) -> None:
    assert faults(read_catalogue(language, domain)) == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('msgid "Save"\nmsgstr "Zapisz"\n', ""),
        ('msgid "Save"\nmsgstr ""\n', "has no translation"),
        ('#, fuzzy\nmsgid "Save"\nmsgstr "Zapisz"\n', "is fuzzy"),
        ('msgid "to %(time)s"\nmsgstr "do %(czas)s"\n', "has other placeholders or tags"),
        ('msgid "<b>x</b>"\nmsgstr "<i>x</i>"\n', "has other placeholders or tags"),
        ('msgid "x"\nmsgstr "\\"x\\""\n', "has other placeholders or tags"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] "d"\n', "lacks a plural form"),
        ('msgid "a"\nmsgid_plural "%(n)s b"\nmsgstr[0] "c"\nmsgstr[1] "%(n)s"\nmsgstr[2] "%(n)s"\n', ""),
        (
            'msgid "a"\nmsgid_plural "%(n)s b"\nmsgstr[0] "c"\nmsgstr[1] "%(n)s"\nmsgstr[2] "e"\n',
            "has other placeholders or tags",
        ),
    ],
)
def test_what_is_wrong_with_a_translation_is_found(text: str, wrong: str) -> None:
    assert list(faults(doctored(text)).values()) == ([wrong] if wrong else [])


def test_polish_has_three_forms_of_the_plural() -> None:
    forms = ("Still valid: {quantity} × {ticket}",) * 2
    said = [catalogue("pl", "mails").ngettext(*forms, number).split(":")[0] for number in (1, 2, 4, 5, 12, 22, 25)]
    one, few, many = "Nadal ważny", "Nadal ważne", "Nadal ważnych"
    assert said == [one, few, few, many, many, few, many]


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        (["de-AT"], "de"),
        (["DE_at"], "en"),
        (["it", "pl-PL", "en"], "pl"),
        (["xx", "*", ""], "en"),
        (["zh-Hant-TW"], "en"),
        ([], "en"),
        (["de-AT", "en"], "de"),
    ],
)
def test_the_language_is_the_first_one_that_there_are_texts_in(tags: list[str], language: str) -> None:
    assert language_of(*tags) == language


def test_a_catalogue_is_read_once_and_english_needs_none() -> None:
    assert catalogue("pl", "pages") is catalogue("pl", "pages")
    assert not catalogue_path("en", "pages").exists()
    assert catalogue("en", "pages").gettext("Save") == "Save"
    assert {catalogue(each, "pages").gettext("Save") for each in LANGUAGES} == {
        "Save", "Speichern", "Guardar", "Enregistrer", "Zapisz",
    }  # fmt: skip
