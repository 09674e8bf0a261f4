"""Who may use a route. Each declares it; a route that declares nothing is refused to everybody."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, abort, current_app, g, request, session, url_for
from flask_login import current_user

from ptdash.db import db, transaction
from ptdash.domain.errors import Forbidden
from ptdash.extensions import login_manager
from ptdash.models import Role, User
from ptdash.services import users
from ptdash.web.pages import came_from, now, see_other, wants_fragment

PUBLIC = "public"
EVERYBODY = frozenset(Role)
SESSION_KEY = "token"

View = TypeVar("View", bound=Callable[..., Any])
Rule = frozenset[Role] | str


class Access:
    """`@access(Role.MANAGER)`, `@access.any_user`, `@access.public`; a view's own word beats its blueprint's."""

    def __call__(self, *roles: Role) -> Callable[[View], View]:
        def declare(view: View) -> View:
            view.access = frozenset(roles)  # type: ignore[attr-defined]
            return view

        return declare

    def any_user(self, view: View) -> View:
        return self(*EVERYBODY)(view)

    def public(self, view: View) -> View:
        view.access = PUBLIC  # type: ignore[attr-defined]
        return view

    def blueprint(self, blueprint: Blueprint, *roles: Role) -> None:
        """Declare the same roles for every route of a blueprint."""

        def declare(state: Any) -> None:
            _by_blueprint(state.app)[blueprint.name] = frozenset(roles)

        blueprint.record(declare)


access = Access()


def declared(app: Flask, endpoint: str) -> Rule | None:
    """What a route declares about who may use it; None where it declares nothing."""
    rule: Rule | None = getattr(app.view_functions[endpoint], "access", None)
    return rule or _by_blueprint(app).get(endpoint.rpartition(".")[0])


def init_app(app: Flask) -> None:
    _by_blueprint(app)
    access.public(app.view_functions["static"])
    login_manager.request_loader(_load_user)
    login_manager.unauthorized_handler(_to_login)
    app.before_request(_guard)


def sign_in(user: User) -> None:
    """Start a session in the database and hand its token to this browser in a fresh signed cookie."""
    with transaction() as db_session:
        token = users.start_session(db_session, user.id, now=now())
    session.clear()
    session.permanent = True
    session[SESSION_KEY] = token


def sign_out() -> None:
    """End this browser's session in the database and forget its cookie."""
    with transaction() as db_session:
        users.end_session(db_session, session.get(SESSION_KEY, ""), now=now())
    session.clear()


def _by_blueprint(app: Flask) -> dict[str, Rule]:
    rules: dict[str, Rule] = app.extensions.setdefault("ptdash_access", {})
    return rules


def _guard() -> Response | None:
    if request.endpoint is None:
        g.known = current_user.is_authenticated  # the error page shows the shell, in the user's language
        return None
    rule = declared(current_app, request.endpoint)
    if rule is None:
        abort(403)
    if rule == PUBLIC:
        return None
    g.known = current_user.is_authenticated
    if not g.known:
        answer: Response = login_manager.unauthorized()
        return answer
    if current_user.role not in rule:
        raise Forbidden()
    return None


def _load_user(_request: Any) -> User | None:
    token = session.get(SESSION_KEY)
    if not token:
        return None
    found = users.signed_in(db.session(), token, now=now())
    if db.session.dirty:  # when it was last seen
        db.session.commit()
    if found is None:
        return None
    user, g.timer = found
    g.language, g.theme = user.language, user.theme
    return user


def _to_login() -> Response:
    """To the login page, which leads back to where the person was (not to where a form was sent)."""
    asked = request.full_path.rstrip("?") if request.method == "GET" and not wants_fragment() else came_from()
    return see_other(url_for("auth.login", next=asked if asked != "/" else None))
