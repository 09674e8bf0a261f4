"""The language of an answer: the user's, else the browser's, else German."""

from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request
from flask_babel import Domain, get_locale
from flask_babel import gettext as looked_up
from markupsafe import Markup

from ptdash.extensions import babel

LANGUAGES = ("de", "en")


class Catalogues(Domain):
    """Flask-Babel's own, looked up once a request: a page asks for hundreds of texts, and each look-up of the
    context costs more than the text."""

    def get_translations(self) -> NullTranslations:
        try:
            found: NullTranslations = g.texts
        except AttributeError:
            found = g.texts = super().get_translations()
        except RuntimeError:  # outside of any request and command
            found = super().get_translations()
        return found


def gettext(text: str, /, **values: Any) -> str:
    """Flask-Babel's own for a text that is said in every row of a page: it looks up the context each time."""
    try:
        found = g.texts.ugettext(text)
    except (AttributeError, RuntimeError):
        return str(looked_up(text, **values))
    return str(found % values if values else found)


def locale() -> Locale:
    """The locale of this answer."""
    try:
        found: Locale = g.locale
    except AttributeError:
        found = g.locale = get_locale() or Locale("de")
    except RuntimeError:  # outside of any request and command
        found = get_locale() or Locale("de")
    return found


def init_app(app: Flask) -> None:
    babel.init_app(app, locale_selector=select)
    texts = app.extensions["babel"].instance.domain_instance = Catalogues(domain="messages")

    def one_text(text: str, /, **values: Any) -> Markup:
        return _filled(texts.get_translations().ugettext(text), values)

    def counted_text(one: str, many: str, num: int, /, **values: Any) -> Markup:
        return _filled(texts.get_translations().ungettext(one, many, num), {"num": num, **values})

    # What Jinja would wrap around them costs several times the text itself.
    app.jinja_env.globals.update(_=one_text, gettext=one_text, ngettext=counted_text)


def _filled(text: str, values: dict[str, Any]) -> Markup:
    # Our own texts, as Jinja marks them too; what is filled in is escaped.
    safe = Markup(text)  # nosec B704
    return safe % values if "%" in text else safe


def select() -> str:
    """Never asks the database: an error page must be possible without it."""
    if not has_request_context():
        return "de"
    return g.get("language") or request.accept_languages.best_match(LANGUAGES) or "de"
