"""The language of a request, and the texts in it.

A reader chooses by the links of the footer, ``?language=de`` on any page; the choice is kept in a cookie. Without one
it is the account's language, or that of the mail whose link was opened (``?mail=de``), or the browser's first language
that there are texts in. On the pages behind mailed links the mail comes before the account.
"""

from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlencode

from babel import Locale
from flask import g, has_request_context, redirect, request
from jinja2 import Environment
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from api.auth.clients import accepted_language
from api.auth.tokens import Caller
from api.pages.addresses import has_secret_address, local_path, return_path
from api.pages.cookies import cookie, set_cookie
from tables.signing.links import LANGUAGE_PARAMETER as MAIL_PARAMETER
from translations.catalogues import LANGUAGES, SOURCE_LANGUAGE, catalogue

DOMAIN: Final = "pages"
COOKIE: Final = "turnstile-language"
MAIL_COOKIE: Final = "turnstile-mail-language"
COOKIE_MAX_AGE_S: Final = 365 * 86_400
PARAMETER: Final = "language"
# As each calls itself.
NAMES: Final = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "pl": "Polski"}
# Read some hundred times a page: in flask.g it would be a third of its time.
_of_request: Final[ContextVar[str | None]] = ContextVar("language of the request", default=None)
# English dates and numbers are those of Europe.
_LOCALES: Final = {name: Locale.parse("en_GB" if name == SOURCE_LANGUAGE else name) for name in LANGUAGES}


class LazyText:
    """A text of a module, shown in the language of the request that shows it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return gettext(self._text)


# The text of a label or message: of a module, or made for this request.
Text = str | LazyText


def lazy_gettext(text: str) -> LazyText:
    """A text to be shown later."""
    return LazyText(text)


def gettext(text: str) -> str:
    """The text in the reader's language."""
    return catalogue(language(), DOMAIN).gettext(text)


def pgettext(context: str, text: str) -> str:
    """The text in the reader's language, of those that are the same in English."""
    return catalogue(language(), DOMAIN).pgettext(context, text)


def ngettext(one: str, many: str, number: int) -> str:
    """The text for that number in the reader's language."""
    return catalogue(language(), DOMAIN).ngettext(one, many, number)


def language() -> str:
    """The language of the request; English outside of one."""
    found = _of_request.get()
    if found is not None:
        return found
    if not has_request_context():
        return SOURCE_LANGUAGE
    of_mail, of_account = (request.args.get(MAIL_PARAMETER), cookie(MAIL_COOKIE)), (_account_language(),)
    others = (*of_mail, *of_account) if has_secret_address() else (*of_account, *of_mail)
    found = next((each for each in (cookie(COOKIE), *others) if each in LANGUAGES), None) or accepted_language()
    _of_request.set(found)
    return found


def use_language(chosen: str | None) -> None:
    """Answer this request in that language, if there are texts in it."""
    if chosen in LANGUAGES:
        _of_request.set(chosen)


def forget(_: BaseException | None) -> None:
    """Forget the language when its request ends."""
    _of_request.set(None)


def locale(of: str = "") -> Locale:
    """How dates and numbers are written in a language; in that of the request without one."""
    return _LOCALES[of or language()]


def install(templates: Environment) -> None:
    """Let templates have texts in the language of the request."""
    templates.add_extension("jinja2.ext.i18n")
    templates.policies["ext.i18n.trimmed"] = True
    texts: Any = templates
    texts.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)
    # Its own alias looks gettext up for each text.
    templates.globals["_"] = templates.globals["gettext"]


def switch() -> Response | None:
    """Keep a choice, and redirect to the page without it; None if the reader chooses nothing."""
    chosen = request.args.get(PARAMETER)
    if chosen not in LANGUAGES or request.method != "GET":
        return None
    answer = redirect(_page_url(request.path, {}), 303)
    set_cookie(answer, COOKIE, chosen, COOKIE_MAX_AGE_S)
    return answer


def forget_choice(answer: Response) -> Response:
    """Let the pages follow the account again."""
    set_cookie(answer, COOKIE, "", 0)
    return answer


def switch_url(chosen: str) -> str:
    """This page in another language; for the answer to a form, the page that the form was on."""
    if request.method == "GET":
        return _page_url(request.path, {PARAMETER: chosen})
    if has_secret_address():
        return _page_url(request.path, {"link": _sent_link(), PARAMETER: chosen})
    path, _, query = return_path().partition("?")
    return f"{path}?{query}{'&' if query else ''}{PARAMETER}={chosen}"


def _sent_link() -> str:
    """The link in the form; empty if the form can't be read, which is what the page says then."""
    try:
        return request.form.get("link", "")
    except HTTPException:
        return ""


def declare(answer: Response) -> Response:
    """Say in which language a page is, and what that depends on; keep a mail's language until the browser closes."""
    if (mailed := request.args.get(MAIL_PARAMETER)) in LANGUAGES:
        set_cookie(answer, MAIL_COOKIE, mailed, None)
    if answer.mimetype == "text/html":
        answer.headers["Content-Language"] = language()
        answer.vary.update(("Accept-Language", "Cookie"))
    return answer


def _account_language() -> str:
    """The language of the reader's account; empty for an anonymous reader and for sessions of earlier versions."""
    found: Caller | None = g.get("caller")
    return found.language if found else ""


def _page_url(path: str, more: dict[str, str]) -> str:
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in (PARAMETER, MAIL_PARAMETER)]
    query = urlencode([*kept, *more.items()])
    return local_path(f"{path}?{query}" if query else path)
