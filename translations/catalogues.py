"""Loads the catalogue of a language and a domain. The source of each text is English and needs no catalogue.

The catalogues are read from their .po files, each when it is first needed; there are no compiled files.
"""

from collections.abc import Iterable
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER: Final = Path(__file__).parent
SOURCE_LANGUAGE: Final = "en"
TRANSLATED: Final = ("de", "es", "fr", "pl")
LANGUAGES: Final = (SOURCE_LANGUAGE, *TRANSLATED)


def language_of(*tags: str) -> str:
    """The language of the first tag (BCP 47) that there are texts in; English without one."""
    return next(filter(LANGUAGES.__contains__, map(_language, tags)), SOURCE_LANGUAGE)


def first_language(accepted: Iterable[tuple[str, float]]) -> str:
    """The first of the accepted languages, each with its quality, that there are texts in; English without one."""
    return language_of(*(tag for tag, quality in accepted if quality > 0))


@cache
def catalogue(language: str, domain: str) -> NullTranslations:
    """The texts of a domain in one of LANGUAGES, to be looked up by the English text."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(language, domain))
    compiled.seek(0)
    return GNUTranslations(compiled)


def read_catalogue(language: str, domain: str) -> Catalog:
    """A catalogue from its file; an empty one if there is none yet."""
    path = catalogue_path(language, domain)
    if not path.exists():
        return Catalog(language, domain)
    with path.open("rb") as file:
        return read_po(file, language, domain, abort_invalid=True)


def catalogue_path(language: str, domain: str) -> Path:
    """The file of a catalogue."""
    return FOLDER / language / f"{domain}.po"


def _language(tag: str) -> str:
    try:
        return str(Locale.parse(tag, sep="-").language)
    except (ValueError, UnknownLocaleError):
        return ""
