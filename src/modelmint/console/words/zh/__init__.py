"""Chinese."""

from __future__ import annotations

from modelmint.console.words.zh.codes import WORDS as _CODES
from modelmint.console.words.zh.customers import WORDS as _CUSTOMERS
from modelmint.console.words.zh.data import WORDS as _DATA
from modelmint.console.words.zh.earn import WORDS as _EARN
from modelmint.console.words.zh.house import WORDS as _HOUSE
from modelmint.console.words.zh.money import WORDS as _MONEY
from modelmint.console.words.zh.release import WORDS as _RELEASE
from modelmint.console.words.zh.shell import WORDS as _SHELL
from modelmint.console.words.zh.tryit import WORDS as _TRYIT

WORDS: dict[str, str] = _SHELL | _CUSTOMERS | _MONEY | _HOUSE | _RELEASE | _EARN | _DATA | _TRYIT | _CODES
