"""The Flask extensions, made once and bound to the application by create_app()."""

from pathlib import Path

from flask_babel import Babel
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx, request

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def client_address() -> str:
    """Where a request comes from: behind a proxy on this machine the last hop it names, otherwise the peer."""
    peer = request.remote_addr or "unix"
    if peer in {"127.0.0.1", "::1", "unix"} and request.access_route:
        return str(request.access_route[-1])
    return peer


babel = Babel()
csrf = CSRFProtect()
htmx = Htmx()
limiter = Limiter(key_func=client_address, headers_enabled=False)
login_manager = LoginManager()
migrate = Migrate(directory=str(MIGRATIONS))
