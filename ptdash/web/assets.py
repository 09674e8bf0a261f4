"""Static files with their content's hash in the address, so that browsers may keep them for good."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

YEAR_SECONDS = 31_536_000


def init_app(app: Flask) -> None:
    app.jinja_env.globals["asset"] = asset
    app.after_request(_cache)


def asset(name: str) -> str:
    """The address of a static file in its present form."""
    return url_for("static", filename=name, v=_version(name))


def _version(name: str) -> str:
    path = Path(current_app.static_folder or "") / name
    return _digest(path, path.stat().st_mtime_ns)


@lru_cache
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _cache(response: Response) -> Response:
    """Only an address that names the present content may be kept; any other is asked for again."""
    if request.endpoint == "static" and response.status_code == 200:
        name = (request.view_args or {})["filename"]
        if request.args.get("v") == _version(name):
            response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
    return response
