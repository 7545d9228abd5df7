"""Finds the texts of each domain in the code, and brings the catalogues up to date with them.

A text is what is given to one of the functions in ``_KEYWORDS``, or stands in a template's ``{% trans %}``.
"""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from translations.catalogues import TRANSLATED, catalogue_path, read_catalogue

ROOT: Final = Path(__file__).parents[1]
# By domain, the folders of its texts.
DOMAINS: Final[Mapping[str, tuple[str, ...]]] = {
    "pages": ("api/pages", "api/board"),
    "account_mails": ("api/auth",),
    "mails": ("streams/mail",),
    "holders": ("translations",),
}
_KEYWORDS: Final = {
    "gettext": None,
    "_": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "board_text": None,
    "counted_text": (1, 2),
}
_TEMPLATES: Final = "jinja2.ext:babel_extract"
_METHODS: Final = [("**.py", "python"), ("**.html", _TEMPLATES), ("**.txt", _TEMPLATES)]
_OPTIONS: Final = {pattern: {"trimmed": "true", "silent": "false"} for pattern, _ in _METHODS}
_LINE_LENGTH: Final = 120


def extracted(domain: str) -> Catalog:
    """The texts of a domain, without translations."""
    found = Catalog(domain=domain, fuzzy=False)
    for folder in DOMAINS[domain]:
        for name, line, text, _, context in extract_from_dir(ROOT / folder, _METHODS, _OPTIONS, _KEYWORDS):
            found.add(text, None, [(f"{folder}/{name}", line)], context=context)
    return found


def updated(language: str, domain: str, texts: Catalog) -> bytes:
    """The catalogue's file with these texts of its domain and no others; a new text has no translation yet."""
    known = read_catalogue(language, domain)
    known.update(texts, no_fuzzy_matching=True)
    known.obsolete.clear()
    written = BytesIO()
    write_po(written, known, _LINE_LENGTH, omit_header=True, sort_by_file=True, include_lineno=False)
    return _header(known) + written.getvalue().strip() + b"\n"


def update_all() -> None:
    """Write all catalogues anew."""
    for domain in DOMAINS:
        texts = extracted(domain)
        for language in TRANSLATED:
            path = catalogue_path(language, domain)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(updated(language, domain, texts))


def _header(known: Catalog) -> bytes:
    """The header that programs for translators need, without times, so that it never changes."""
    return (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {known.locale_identifier}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {known.plural_forms}\\n"\n\n'
    ).encode()
