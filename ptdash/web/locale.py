"""The language of an answer: the user's, else the browser's, else German."""

from typing import Any

from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request
from flask_babel import Domain
from markupsafe import Markup

from ptdash.extensions import babel

LANGUAGES = ("de", "en")


class Catalogues(Domain):
    """Flask-Babel's own, looked up once a request: a page asks for hundreds of texts, and each look-up of the
    context costs more than the text."""

    def get_translations(self) -> NullTranslations:
        found: NullTranslations | None = g.get("texts") if g else None
        if found is None:
            found = super().get_translations()
            if g:
                g.texts = found
        assert found is not None
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
    return Markup(text) % values if "%" in text else Markup(text)


def select() -> str:
    """Never asks the database: an error page must be possible without it."""
    if not has_request_context():
        return "de"
    return g.get("language") or request.accept_languages.best_match(LANGUAGES) or "de"
