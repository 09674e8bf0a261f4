"""The list of devices, a device's page, entering, changing and retiring."""

from collections.abc import Callable
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.devices import READERS, bp
from ptdash.blueprints.devices.forms import SOURCES, SPARE_LINES, DeviceForm, RetireForm, products_from
from ptdash.blueprints.devices.words import STATES, type_name
from ptdash.db import transaction
from ptdash.domain.acceptance import DeviceState
from ptdash.domain.errors import DomainError
from ptdash.models import Device, Role
from ptdash.services.devices import listing, reading, register
from ptdash.services.devices.listing import Filters
from ptdash.services.devices.register import ProductData
from ptdash.services.rollout import reading as rollout
from ptdash.web import access, now, render_page, see_other, toast, today

FIELD_OF = {
    register.CustomerUnknown: "customer",
    register.InventoryNumberTaken: "inventory_number",
    register.SerialNumberTaken: "serial_number",
    register.OwnerKept: "customer",
    register.OriginKept: "bought",
}
WRITERS = (Role.TECHNICIAN, Role.MANAGER)


def asked() -> Filters:
    """The filters of the address; what is not known there counts as not asked."""
    values = {name: request.args.get(name, "").strip() for name in ("customer", "type")}
    known: dict[str, set[str]] = {
        "state": {state.value for state in DeviceState},
        "bought": {"ours", "foreign"},
        "contract": {"in", "out"},
    }
    for name, possible in known.items():
        value = request.args.get(name, "")
        values[name] = value if value in possible else ""
    return Filters(text=request.args.get("q", "").strip()[:100], **values)


@bp.get("")
@access(*READERS)
def index() -> Response:
    filters = asked()
    with transaction() as session:
        page = listing.page(
            session, filters, today(), after=request.args.get("after"), before=request.args.get("before")
        )
        types, customers = listing.choices(session)
    return render_page(
        "devices/index.html",
        filters=filters,
        page=page,
        types=sorted(((name, type_name(name)) for name in types), key=lambda pair: pair[1].lower()),
        customers=customers,
        state_options=[(state.value, label) for state, (label, _) in STATES.items()],
        here=_here(filters),
    )


@bp.route("/new", methods=["GET", "POST"])
def create() -> Response:
    form = _offered(DeviceForm())
    if request.method == "GET":
        form.customer.data = request.args.get("customer", "")
    products = _sent_products()
    if _submitted(form):
        try:
            with transaction() as session:
                device = register.create(session, form.as_data(), products, actor_id=current_user.id, now=now())
        except DomainError as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("%(device)s is entered.", device=device.inventory_number))
            return see_other(url_for("devices.show", inventory=device.inventory_number))
    return _form_page(form, products, None)


@bp.get("/<path:typed>")
@access(*READERS)
def show_typed(typed: str) -> Response:
    """Where a slash of the inventory number stands as it is, as in addresses of earlier days."""
    with transaction() as session:
        known = reading.page(session, typed, today()).device.inventory_number
    return see_other(url_for("devices.show", inventory=known))


@bp.get("/<inventory>")
@access(*READERS)
def show(inventory: str) -> Response:
    with transaction() as session:
        page = reading.page(session, inventory, today())
        reboots = rollout.reboots(session, [page.device.id])
    return render_page(
        "devices/show.html",
        page=page,
        reboot_since=reboots.get(page.device.id),
        today=today(),
        may_write=current_user.role in WRITERS,
    )


@bp.route("/<inventory>/edit", methods=["GET", "POST"])
def edit(inventory: str) -> Response:
    form = _offered(DeviceForm())
    with transaction() as session:
        device = register.get(session, inventory)
        data, products = register.data_of(session, device)
    seen = register.fingerprint(data, products)
    if request.method == "GET":
        form.fill(data, seen)
        return _form_page(form, products, device)
    form.inventory_number.data = inventory
    products = _sent_products()
    if _submitted(form):
        try:
            with transaction() as session:
                register.change(
                    session,
                    inventory,
                    form.as_data(),
                    products,
                    seen=form.seen.data,
                    actor_id=current_user.id,
                    now=now(),
                )
        except DomainError as error:
            form.refuse(error, FIELD_OF.get(type(error)))
            if isinstance(error, register.StaleDevice):
                form.seen.data = seen
        else:
            toast(gettext("%(device)s is saved.", device=inventory))
            return see_other(url_for("devices.show", inventory=inventory))
    return _form_page(form, products, device)


@bp.route("/<inventory>/retire", methods=["GET", "POST"])
def retire(inventory: str) -> Response:
    form = RetireForm()
    with transaction() as session:
        device = register.get(session, inventory)
    if request.method == "GET":
        form.retired_on.data = today()
    if form.submitted():
        done = _tried(
            form,
            lambda session: register.retire(
                session,
                inventory,
                form.retired_on.data,
                form.note.data or "",
                actor_id=current_user.id,
                now=now(),
            ),
        )
        if done:
            toast(gettext("%(device)s is retired.", device=inventory))
            return see_other(url_for("devices.show", inventory=inventory))
    return render_page("devices/retire.html", status=422 if form.problems() else 200, form=form, device=device)


@bp.post("/<inventory>/bring-back")
def bring_back(inventory: str) -> Response:
    with transaction() as session:
        register.bring_back(session, inventory, actor_id=current_user.id, now=now())
    toast(gettext("%(device)s is back.", device=inventory))
    return see_other(url_for("devices.show", inventory=inventory))


def _here(filters: Filters) -> Callable[..., str]:
    """Addresses of the list with these filters, some of them replaced."""
    kept = {
        "q": filters.text,
        "customer": filters.customer,
        "type": filters.type,
        "state": filters.state,
        "bought": filters.bought,
        "contract": filters.contract,
    }

    def here(endpoint: str = "devices.index", **changes: str | None) -> str:
        values: dict[str, Any] = {name: value for name, value in (kept | changes).items() if value}
        return url_for(endpoint, **values)

    return here


def _offered(form: DeviceForm) -> DeviceForm:
    with transaction() as session:
        types, _ = listing.choices(session)
        customers = listing.customers(session)
    form.offer(customers, types)
    return form


def _submitted(form: DeviceForm) -> bool:
    """Whether the form was sent and holds; a button that asks for more lines does not send it."""
    return not request.form.get("more") and form.submitted()


def _sent_products() -> list[ProductData]:
    lists = [request.form.getlist(name) for name in ("product", "vendor", "version", "source")]
    return products_from(zip(*lists, strict=False))


def _tried(form: RetireForm, change: Callable[..., Device]) -> bool:
    try:
        with transaction() as session:
            change(session)
    except DomainError as error:
        form.refuse(error)
        return False
    return True


def _form_page(form: DeviceForm, products: list[ProductData], device: Device | None) -> Response:
    spare = [ProductData("")] * SPARE_LINES
    return render_page(
        "devices/form.html",
        status=422 if form.problems() else 200,
        form=form,
        products=[*products, *spare],
        sources=SOURCES,
        device=device,
    )
