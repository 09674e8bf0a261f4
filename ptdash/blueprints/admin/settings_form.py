"""The settings as fields: what each is called, what it means, and why one does not fit."""

import re
from typing import Any

from flask_babel import gettext, lazy_gettext
from wtforms import Field, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget, PasswordInput, TimeInput

from ptdash.domain.tickets import Priority
from ptdash.services import settings
from ptdash.services.settings import SettingRefused
from ptdash.web import BaseForm, choices

DAYS = {
    "mon": lazy_gettext("Monday"),
    "tue": lazy_gettext("Tuesday"),
    "wed": lazy_gettext("Wednesday"),
    "thu": lazy_gettext("Thursday"),
    "fri": lazy_gettext("Friday"),
    "sat": lazy_gettext("Saturday"),
    "sun": lazy_gettext("Sunday"),
}
STATES = {
    "": lazy_gettext("Not chosen"),
    "BW": "Baden-Württemberg",
    "BY": "Bayern",
    "BE": "Berlin",
    "BB": "Brandenburg",
    "HB": "Bremen",
    "HH": "Hamburg",
    "HE": "Hessen",
    "MV": "Mecklenburg-Vorpommern",
    "NI": "Niedersachsen",
    "NW": "Nordrhein-Westfalen",
    "RP": "Rheinland-Pfalz",
    "SL": "Saarland",
    "SN": "Sachsen",
    "ST": "Sachsen-Anhalt",
    "SH": "Schleswig-Holstein",
    "TH": "Thüringen",
}
SECURITY = {
    "starttls": lazy_gettext("STARTTLS (port 587)"),
    "tls": lazy_gettext("TLS from the start (port 465)"),
    "none": lazy_gettext("None (only in the own network)"),
}
FOUR_EYES = {"yes": lazy_gettext("Somebody else than the tester"), "no": lazy_gettext("The tester may, too")}
RULES = {
    "third_monday": lazy_gettext("The week that begins with the third Monday"),
    "week_of_15th": lazy_gettext("The week in which the 15th lies"),
}
REFUSED = {
    "company.country": lazy_gettext("Give the country as two letters, for example DE"),
    "company.vat_id": lazy_gettext("A VAT id begins with the code of its country, for example DE123456789"),
    "company.iban": lazy_gettext("Check the IBAN: its length or its check digits are wrong"),
    "company.bic": lazy_gettext("A BIC has 8 or 11 characters, for example BYLADEM1001"),
    "company.email": lazy_gettext("Enter an e-mail address, for example rechnung@firma.de"),
    "company.payment_days": lazy_gettext("Enter whole days from 0 to 365, for example 14"),
    "smtp.host": lazy_gettext("Enter the name of a mail server, for example mail.firma.de"),
    "smtp.port": lazy_gettext("Enter a port from 1 to 65535, or leave it empty"),
    "smtp.from": lazy_gettext("Enter an e-mail address, for example rechnung@firma.de"),
    "rollout.per_day": lazy_gettext("Enter a whole number from 1 to 500, for example 20"),
    "datev.consultant": lazy_gettext("Enter the number of 4 to 7 digits that your tax adviser told you"),
    "datev.client": lazy_gettext("Enter a number from 1 to 99999"),
    "datev.year_begins": lazy_gettext("Enter a month from 1 to 12"),
    "datev.account_length": lazy_gettext("Enter a number from 4 to 8"),
    "datev.revenue": lazy_gettext("An account has 4 to 9 digits, for example 8400"),
    "datev.revenue_reverse_charge": lazy_gettext("An account has 4 to 9 digits, for example 8336"),
    "datev.debtor": lazy_gettext("An account has 4 to 9 digits, for example 10000"),
    "hours.from": lazy_gettext("Enter a time of day, for example 08:00"),
    "hours.until": lazy_gettext("Enter a time of day, for example 17:00"),
}
TOGETHER = {
    settings.ENDS_TOO_EARLY: lazy_gettext("The day has to end after it begins"),
    settings.MORE_THAN_A_YEAR: lazy_gettext(
        "This takes more than a year of business hours: raise one or lower the other"
    ),
}
SOLUTION_FIRST = lazy_gettext("The solution cannot be due before the reply")
PRIORITIES = list(reversed(Priority))
SPAN = re.compile(
    r"(?:(?P<hours>\d{1,3})\s*(?:h|std\.?))?\s*(?:(?P<minutes>\d{1,5})\s*(?:m|min\.?)?)?", re.IGNORECASE
)


def read_span(text: str | None) -> int | None:
    """Minutes of `4 h`, `30 min`, `4 h 30`, `4:30` or `30`; None where it is none of these."""
    typed = (text or "").strip()
    if clock := re.fullmatch(r"(\d{1,3}):([0-5]\d)", typed):
        return int(clock[1]) * 60 + int(clock[2])
    found = SPAN.fullmatch(typed)
    if not typed or not found:
        return None
    return int(found["hours"] or 0) * 60 + int(found["minutes"] or 0)


def write_span(minutes: int) -> str:
    """`270` -> `4 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


class SettingsForm(BaseForm):
    """Field names are the settings' keys with `_` for the point; a target is two fields of one setting."""

    company_name = StringField(lazy_gettext("Company name"))
    company_email = StringField(lazy_gettext("E-mail address"))
    company_street = StringField(lazy_gettext("Street and number"))
    company_phone = StringField(lazy_gettext("Telephone"))
    company_contact = StringField(lazy_gettext("Contact on invoices"))
    company_management = StringField(lazy_gettext("Management"))
    company_register = StringField(lazy_gettext("Commercial register"))
    company_postal_code = StringField(lazy_gettext("Postal code"))
    company_city = StringField(lazy_gettext("Town"))
    company_country = StringField(lazy_gettext("Country"))
    company_federal_state = SelectField(lazy_gettext("Federal state"), choices=choices(STATES))
    company_vat_id = StringField(lazy_gettext("VAT id"))
    company_tax_number = StringField(lazy_gettext("Tax number"))
    company_iban = StringField(lazy_gettext("IBAN"))
    company_bic = StringField(lazy_gettext("BIC"))
    company_payment_days = StringField(lazy_gettext("Days to pay"))
    hours_days = SelectMultipleField(
        lazy_gettext("Working days"),
        choices=choices(DAYS),
        widget=ListWidget(),
        option_widget=CheckboxInput(),
    )
    hours_from = StringField(lazy_gettext("From"), widget=TimeInput())
    hours_until = StringField(lazy_gettext("Until"), widget=TimeInput())
    reply_urgent = StringField(lazy_gettext("Urgent: reply"))
    solution_urgent = StringField(lazy_gettext("Urgent: solution"))
    reply_high = StringField(lazy_gettext("High: reply"))
    solution_high = StringField(lazy_gettext("High: solution"))
    reply_normal = StringField(lazy_gettext("Normal: reply"))
    solution_normal = StringField(lazy_gettext("Normal: solution"))
    reply_low = StringField(lazy_gettext("Low: reply"))
    solution_low = StringField(lazy_gettext("Low: solution"))
    window_rule = SelectField(lazy_gettext("Week of the maintenance window"), choices=choices(RULES))
    rollout_per_day = StringField(lazy_gettext("Devices a technician updates a day"))
    four_eyes = SelectField(lazy_gettext("Who approves an update"), choices=choices(FOUR_EYES))
    smtp_host = StringField(lazy_gettext("Mail server"))
    smtp_port = StringField(lazy_gettext("Port"))
    smtp_security = SelectField(lazy_gettext("Encryption"), choices=choices(SECURITY))
    smtp_from = StringField(lazy_gettext("Sender"))
    smtp_user = StringField(lazy_gettext("User name"))
    smtp_password = PasswordField(lazy_gettext("Password"), widget=PasswordInput(hide_value=False))
    datev_consultant = StringField(lazy_gettext("Consultant number"))
    datev_client = StringField(lazy_gettext("Client number"))
    datev_year_begins = StringField(lazy_gettext("First month of the financial year"))
    datev_account_length = StringField(lazy_gettext("Digits of a general ledger account"))
    datev_revenue = StringField(lazy_gettext("Revenue account"))
    datev_revenue_reverse_charge = StringField(lazy_gettext("Revenue account, reverse charge"))
    datev_debtor = StringField(lazy_gettext("Collective debtor account"))

    def validate_hours_days(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(gettext("Choose at least one day"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Each target's two fields are spans of time, the solution's not the shorter."""
        fits = bool(super().validate(extra_validators))
        for reply, solution in self.targets():
            first, last = read_span(reply.data), read_span(solution.data)
            for field, span in ((reply, first), (solution, last)):
                if not span:
                    field.errors = [gettext("Enter business hours or minutes, for example 4 h or 30 min")]
                    fits = False
            if first and last and first > last:
                solution.errors = [str(SOLUTION_FIRST)]
                fits = False
        return fits

    def targets(self) -> list[tuple[Field, Field]]:
        """Reply and solution of each priority, the most pressing first."""
        return [(self[f"reply_{priority}"], self[f"solution_{priority}"]) for priority in PRIORITIES]

    @property
    def values(self) -> dict[str, str]:
        """What a form that holds says, as the settings' stored forms."""
        found = {key: self[_field(key)].data or "" for key in settings.SETTINGS if not key.startswith("target.")}
        found["hours.days"] = ",".join(self.hours_days.data)
        for priority, (reply, solution) in zip(PRIORITIES, self.targets(), strict=True):
            found[f"target.{priority}"] = f"{read_span(reply.data)}/{read_span(solution.data)}"
        return found

    def refuse_setting(self, key: str, refusal: SettingRefused) -> None:
        """Say at its field why a setting is not possible."""
        name = f"solution_{key.removeprefix('target.')}" if key.startswith("target.") else _field(key)
        sentence = TOGETHER.get(refusal.params["why"]) or REFUSED.get(key) or gettext("Check this entry")
        self[name].errors = [*self[name].errors, str(sentence)]


def shown(values: dict[str, str]) -> dict[str, Any]:
    """The stored settings as the form's data."""
    data: dict[str, Any] = {
        _field(key): settings.shown(key, value) for key, value in values.items() if not key.startswith("target.")
    }
    data["hours_days"] = values["hours.days"].split(",")
    for priority in PRIORITIES:
        reply, solution = values[f"target.{priority}"].split("/")
        data[f"reply_{priority}"], data[f"solution_{priority}"] = write_span(int(reply)), write_span(int(solution))
    return data


def _field(key: str) -> str:
    return key.replace(".", "_")
