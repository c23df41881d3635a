"""English."""

from __future__ import annotations

from modelmint.console.words.en.codes import WORDS as _CODES
from modelmint.console.words.en.customers import WORDS as _CUSTOMERS
from modelmint.console.words.en.data import WORDS as _DATA
from modelmint.console.words.en.earn import WORDS as _EARN
from modelmint.console.words.en.house import WORDS as _HOUSE
from modelmint.console.words.en.money import WORDS as _MONEY
from modelmint.console.words.en.release import WORDS as _RELEASE
from modelmint.console.words.en.shell import WORDS as _SHELL
from modelmint.console.words.en.tryit import WORDS as _TRYIT

WORDS: dict[str, str] = _SHELL | _CUSTOMERS | _MONEY | _HOUSE | _RELEASE | _EARN | _DATA | _TRYIT | _CODES
