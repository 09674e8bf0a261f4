"""The areas of the house, each with its views and forms; create_app() registers them in this order."""

from ptdash.blueprints.acceptance import bp as acceptance
from ptdash.blueprints.admin.settings import bp as settings
from ptdash.blueprints.admin.views import bp as admin
from ptdash.blueprints.auth.views import bp as auth
from ptdash.blueprints.billing.views import bp as billing
from ptdash.blueprints.calendar.views import bp as calendar
from ptdash.blueprints.contracts import bp as contracts
from ptdash.blueprints.customers.views import bp as customers
from ptdash.blueprints.devices import bp as devices
from ptdash.blueprints.outbox.views import bp as outbox
from ptdash.blueprints.overview.views import bp as overview
from ptdash.blueprints.rollout import bp as rollout
from ptdash.blueprints.tickets import bp as tickets
from ptdash.blueprints.time import bp as time
from ptdash.blueprints.updates import bp as updates

AREAS = (
    *(overview, tickets, time, acceptance, updates, rollout, devices),
    *(customers, contracts, billing, outbox),
    *(auth, calendar, admin, settings),
)
