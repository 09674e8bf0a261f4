"""Signing in and out, and one's own account."""

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.auth.forms import LoginForm, PasswordForm, PreferencesForm
from ptdash.db import transaction
from ptdash.extensions import limiter
from ptdash.services import users
from ptdash.web import access, local_path, now, render_page, see_other, toast
from ptdash.web.access import sign_in, sign_out

bp = Blueprint("auth", __name__)

# Failed attempts only; the page says after how long one may try again.
ACCOUNT_LIMIT = "10 per 15 minutes"
ADDRESS_LIMIT = "50 per 15 minutes"


def _account() -> str:
    return request.form.get("email", "").strip().lower()


def _failed(response: Response) -> bool:
    return response.status_code == 422


@bp.get("/login")
@access.public
def login() -> Response:
    if current_user.is_authenticated:
        return see_other(local_path(request.args.get("next")) or url_for("overview.index"))
    return render_page("auth/login.html", form=LoginForm(next=request.args.get("next")))


@bp.post("/login")
@access.public
@limiter.limit(ACCOUNT_LIMIT, key_func=_account, deduct_when=_failed)
@limiter.limit(ADDRESS_LIMIT, deduct_when=_failed)
def send_login() -> Response:
    form = LoginForm()
    if not form.submitted():
        return render_page("auth/login.html", status=422, form=form)
    try:
        with transaction() as session:
            user = users.authenticate(session, form.email.data, form.password.data)
    except users.LoginRefused as error:
        form.refuse(error)
        return render_page("auth/login.html", status=422, form=form)
    sign_in(user)
    return see_other(local_path(form.next.data) or url_for("overview.index"))


@bp.post("/logout")
@access.any_user
def logout() -> Response:
    sign_out()
    return see_other(url_for("auth.login"))


@bp.get("/account")
@access.any_user
def account() -> Response:
    return _account_page()


@bp.post("/account/password")
@access.any_user
def password() -> Response:
    form = PasswordForm()
    if not form.submitted():
        return _account_page(422, password=form)
    try:
        with transaction() as session:
            users.change_own_password(session, current_user.id, form.present.data, form.new.data, now=now())
    except users.PasswordWrong as error:
        form.refuse(error, "present")
        return _account_page(422, password=form)
    except users.PasswordTooShort as error:
        form.refuse(error, "new")
        return _account_page(422, password=form)
    sign_in(current_user)  # the change ended every session, this one too
    toast(gettext("Password changed. All other devices are signed out."))
    return see_other(url_for("auth.account"))


@bp.post("/account/preferences")
@access.any_user
def preferences() -> Response:
    form = PreferencesForm()
    if not form.submitted():
        return _account_page(422, preferences=form)
    with transaction() as session:
        users.set_preferences(
            session,
            current_user.id,
            language=form.language.data,
            theme=form.theme.data,
            shortcuts=form.shortcuts.data,
            now=now(),
        )
    toast(gettext("Saved."))
    return see_other(url_for("auth.account"))


@bp.post("/account/theme")
@access.any_user
def theme() -> Response:
    with transaction() as session:
        users.set_preferences(session, current_user.id, theme=request.form.get("theme", ""), now=now())
    return see_other(local_path(request.form.get("next")) or url_for("overview.index"))


def _account_page(
    status: int = 200, *, password: PasswordForm | None = None, preferences: PreferencesForm | None = None
) -> Response:
    return render_page(
        "auth/account.html",
        status=status,
        password=password or PasswordForm(formdata=None),
        preferences=preferences or PreferencesForm(formdata=None, obj=current_user),
    )
