"""Accounts: who there is, who may do what."""

from flask import Blueprint, Response, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.admin.forms import ROLES, AddUserForm, NewPasswordForm, RoleForm
from ptdash.db import db, transaction
from ptdash.domain.errors import DomainError
from ptdash.models import Role
from ptdash.services import users as service
from ptdash.web import access, now, render_page, see_other, toast

bp = Blueprint("admin", __name__, url_prefix="/admin")
access.blueprint(bp, Role.ADMIN)


@bp.get("/users")
def users() -> Response:
    return render_page("admin/users.html", users=service.everybody(db.session()), roles=ROLES)


@bp.route("/users/new", methods=["GET", "POST"])
def add() -> Response:
    form = AddUserForm()
    if not form.submitted():
        return render_page("admin/add.html", status=422 if form.errors else 200, form=form)
    values = {key: form[key].data for key in ("email", "name", "role", "language", "password")}
    try:
        with transaction() as session:
            user = service.add(session, **values, actor_id=current_user.id, now=now())
    except (service.EmailTaken, service.EmailInvalid) as error:
        form.refuse(error, "email")
    except service.PasswordTooShort as error:
        form.refuse(error, "password")
    else:
        toast(gettext("%(name)s can sign in now.", name=user.name))
        return see_other(url_for("admin.users"))
    return render_page("admin/add.html", status=422, form=form)


@bp.get("/users/<int:user_id>")
def user(user_id: int) -> Response:
    return _user_page(user_id)


@bp.post("/users/<int:user_id>/role")
def change_role(user_id: int) -> Response:
    form = RoleForm()
    if form.submitted():
        try:
            with transaction() as session:
                service.change_role(session, user_id, form.role.data, actor_id=current_user.id, now=now())
        except DomainError as error:
            form.refuse(error, "role")
        else:
            toast(gettext("Role changed. It counts from the next sign-in."))
            return see_other(url_for("admin.user", user_id=user_id))
    return _user_page(user_id, 422, role=form)


@bp.post("/users/<int:user_id>/password")
def set_password(user_id: int) -> Response:
    form = NewPasswordForm()
    if form.submitted():
        try:
            with transaction() as session:
                service.set_password(session, user_id, form.password.data, actor_id=current_user.id, now=now())
        except service.PasswordTooShort as error:
            form.refuse(error, "password")
        else:
            toast(gettext("Password set. All devices of this account are signed out."))
            return see_other(url_for("admin.user", user_id=user_id))
    return _user_page(user_id, 422, password=form)


@bp.post("/users/<int:user_id>/disable")
def disable(user_id: int) -> Response:
    with transaction() as session:
        service.disable(session, user_id, actor_id=current_user.id, now=now())
    toast(gettext("Account disabled."))
    return see_other(url_for("admin.user", user_id=user_id))


@bp.post("/users/<int:user_id>/enable")
def enable(user_id: int) -> Response:
    with transaction() as session:
        service.enable(session, user_id, actor_id=current_user.id, now=now())
    toast(gettext("Account enabled."))
    return see_other(url_for("admin.user", user_id=user_id))


def _user_page(
    user_id: int, status: int = 200, *, role: RoleForm | None = None, password: NewPasswordForm | None = None
) -> Response:
    user = service.get(db.session(), user_id)
    return render_page(
        "admin/user.html",
        status=status,
        user=user,
        roles=ROLES,
        role=role or RoleForm(formdata=None, obj=user),
        password=password or NewPasswordForm(formdata=None),
    )
