"""What cannot be valued."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput


class NothingInTheMix(InvalidInput):
    """A plan mix in which no plan has a share."""

    code = "nothing_in_the_mix"


class MixOfCurrencies(InvalidInput):
    """A plan mix whose plans are sold in several currencies: there is no sum of them."""

    code = "mix_of_currencies"
