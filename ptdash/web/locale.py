"""The language of an answer: the user's, else the browser's, else German."""

from flask import g, has_request_context, request

LANGUAGES = ("de", "en")


def select() -> str:
    """Never asks the database: an error page must be possible without it."""
    if not has_request_context():
        return "de"
    return g.get("language") or request.accept_languages.best_match(LANGUAGES) or "de"
