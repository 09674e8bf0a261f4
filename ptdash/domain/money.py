"""Money is integer cents; rates and quantities are Decimal. Every rounding is half up (away from zero)."""

from decimal import ROUND_HALF_UP, Decimal

HUNDRED = Decimal(100)


def rounded(amount: Decimal) -> int:
    """To a whole number, half up."""
    return int(amount.to_integral_value(ROUND_HALF_UP))


def cents(euros: Decimal) -> int:
    """Euros to cents, rounded half up."""
    return rounded(euros * HUNDRED)


def euros(amount_cents: int) -> Decimal:
    """Cents to euros, exactly."""
    return Decimal(amount_cents) / HUNDRED


def line_cents(quantity: Decimal | int, unit_price: Decimal) -> int:
    """A line's net amount in cents: quantity times unit price (EUR), rounded half up once a line."""
    return cents(Decimal(quantity) * unit_price)


def pro_rata_cents(monthly: Decimal, days: int, month_days: int) -> int:
    """A monthly amount (EUR) for `days` of a month, in cents, rounded half up."""
    return cents(monthly * days / month_days)


def vat_cents(net_cents: int, rate: Decimal) -> int:
    """VAT on the sum of the net lines of one rate (percent), rounded half up (EN 16931 BR-CO-17)."""
    return rounded(net_cents * rate / HUNDRED)
