"""users.csv: the people who work here. They get a password later."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from ptdash.models import Role, User
from ptdash.services.importing.cells import Column, one_of, text, user_email
from ptdash.services.importing.tables import File, Ids, Stored

if TYPE_CHECKING:
    from ptdash.services.importing.world import World


@dataclass(slots=True)
class UserRow:
    email: str
    name: str
    role: str
    language: str


def check(world: "World") -> None:
    """Somebody must be left who can administer."""
    admins = [row for row in world.users.stored.values() if row.role == Role.ADMIN]
    if admins and all(row.role != Role.ADMIN for row in world.users.merged()):
        place = world.users.place(admins[-1].email)
        world.error(place, "role", "last_admin", "This is the last administrator. Name another one first.")


def _stored() -> Stored:
    return select(User.id, func.lower(User.email), User.name, User.role, User.language)


def _values(row: UserRow, _ids: Ids) -> dict[str, Any]:
    return asdict(row)


USERS = File(
    name="users.csv",
    row=UserRow,
    key=("email",),
    columns={
        "email": Column(user_email, required=True),
        "name": Column(text(200), required=True),
        "role": Column(one_of(*Role), required=True),
        "language": Column(one_of("de", "en"), empty="de"),
    },
    model=User,
    stored=_stored,
    values=_values,
)
