"""What every page shares: rendering, forms, who may come in, errors, formats, headers."""

import secrets
from datetime import timedelta
from typing import Any

from flask import Flask, Response, request

from ptdash.config import Config
from ptdash.db import db, end_reading
from ptdash.extensions import csrf, limiter, login_manager
from ptdash.web import access as _access
from ptdash.web import addresses, assets, errors, formats, headers, health, locale, navigation
from ptdash.web.access import access
from ptdash.web.forms import BaseForm, choices
from ptdash.web.pages import (
    config,
    local_path,
    moment,
    now,
    render_page,
    see_other,
    toast,
    today,
    wants_fragment,
)

__all__ = [
    "BaseForm",
    "access",
    "choices",
    "config",
    "init_app",
    "local_path",
    "moment",
    "now",
    "render_page",
    "see_other",
    "settings",
    "toast",
    "today",
    "wants_fragment",
]

SESSION_DAYS = 30
UPLOAD_LIMIT_BYTES = 16 * 1024 * 1024


def settings(config: Config) -> dict[str, Any]:
    """Flask's own settings for this configuration; raises ValueError where no database is named."""
    if not config.database_url:
        raise ValueError("No database: set DATABASE_URL, or start ptdash with `ptdash up`.")
    return {
        "PTDASH": config,
        # Commands and workers set no cookies: a key of their own is enough where none is given.
        "SECRET_KEY": config.secret_key or secrets.token_hex(32),
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True},
        "SESSION_COOKIE_NAME": "ptdash",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=SESSION_DAYS),
        "MAX_CONTENT_LENGTH": UPLOAD_LIMIT_BYTES,
        # A form may stay open as long as the session lives.
        "WTF_CSRF_TIME_LIMIT": None,
        # Our forms speak for themselves (BaseForm): WTForms' own catalogue would be read anew for every page.
        "WTF_I18N_ENABLED": False,
        "BABEL_DEFAULT_LOCALE": "de",
        "BABEL_DEFAULT_TIMEZONE": "Europe/Berlin",
        "RATELIMIT_STORAGE_URI": _limiter_storage(config.redis_url),
        "RATELIMIT_STORAGE_OPTIONS": (
            {"socket_connect_timeout": 1, "socket_timeout": 1} if config.redis_url else {}
        ),
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": bool(config.redis_url),
    }


def init_app(app: Flask) -> None:
    """Bind everything of this room to the application; who may come in is asked before anything else."""
    app.session_interface = headers.SecureWhereHttps()
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    locale.init_app(app)
    login_manager.init_app(app)
    _access.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    app.after_request(_end_reading)
    for part in (addresses, assets, errors, formats, headers, health, navigation):
        part.init_app(app)


def _end_reading(response: Response) -> Response:
    if request.method in ("GET", "HEAD") and response.status_code < 500 and db.session.registry.has():
        end_reading()
    return response


def _limiter_storage(redis_url: str | None) -> str:
    """The limiter spells a unix socket differently from redis-py."""
    if not redis_url:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url
