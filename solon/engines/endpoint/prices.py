"""What a model costs. A model that is not listed has no price, which is not a price of nought."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from solon.errors import SettingError

OPENAI = "api.openai.com"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Money per million tokens read and per million tokens written."""

    tokens_in: float
    tokens_out: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        return (self.tokens_in * tokens_in + self.tokens_out * tokens_out) / MILLION

    def times(self, share: float) -> Price:
        """That share of the price."""
        return Price(self.tokens_in * share, self.tokens_out * share)


# US dollars, as published in 2025, at full price: a discount for cached input only lowers them.
PRICES = {
    (OPENAI, "gpt-4.1"): Price(2.00, 8.00),
    (OPENAI, "gpt-4.1-mini"): Price(0.40, 1.60),
    (OPENAI, "gpt-4.1-nano"): Price(0.10, 0.40),
    (OPENAI, "gpt-4o"): Price(2.50, 10.00),
    (OPENAI, "gpt-4o-mini"): Price(0.15, 0.60),
}


def price_of(
    host: str, model: str, price_in: float | None, price_out: float | None
) -> Price | None:
    """The user's price, else the table's, else None. Raises SettingError for half a price."""
    if price_in is None and price_out is None:
        return PRICES.get((host, model))
    if price_in is None or price_out is None or not (0 <= price_in < inf and 0 <= price_out < inf):
        raise SettingError(
            f"price_in={price_in}, price_out={price_out}: expected both, per million tokens, >= 0"
        )
    return Price(price_in, price_out)
