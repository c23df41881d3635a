"""What can go wrong with partners, referral codes and statements."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, InvalidInput, NotAllowed, NotFound


class UnknownPartner(NotFound):
    """No partner has this id or name."""

    code = "unknown_partner"


class NotAPartner(NotAllowed):
    """The caller's customer is no partner."""

    code = "not_a_partner"


class PartnerExists(Conflict):
    """The customer is a partner already, or belongs to one."""

    code = "partner_exists"


class BadTerms(InvalidInput):
    """Terms of a partner that cannot be: an unknown kind, or a share below nothing or above everything."""

    code = "bad_partner_terms"


class UnknownReferral(NotFound):
    """No referral code of this spelling is valid."""

    code = "unknown_referral"


class ReferralExists(Conflict):
    """The referral code was given out before; codes are never used again."""

    code = "referral_exists"


class BadReferral(InvalidInput):
    """A referral code or a channel that is not written as one."""

    code = "bad_referral"


class StatementNotOver(Conflict):
    """A partner's statement is closed when its period has ended."""

    code = "statement_not_over"


class StatementNotClosed(Conflict):
    """Only a statement that is booked can be paid out."""

    code = "statement_not_closed"


class NothingOwed(Conflict):
    """A month in which a partner earned nothing that could be paid out."""

    code = "nothing_owed"


class PayOutTooLarge(Conflict):
    """More than the partner is owed."""

    code = "pay_out_too_large"


class PayOutExists(Conflict):
    """Another amount was paid out under this reference before."""

    code = "pay_out_exists"


class BadPayOut(InvalidInput):
    """An amount of nothing or less, or a reference that is too long."""

    code = "bad_pay_out"
