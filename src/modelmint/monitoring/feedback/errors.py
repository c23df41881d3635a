"""What can be wrong with feedback."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, InvalidInput, NotFound


class UnknownPrediction(NotFound):
    """No prediction of this customer has this id."""

    code = "unknown_prediction"


class BadFeedback(InvalidInput):
    """Feedback that says nothing, or names what there is not; ``problems`` has every finding."""

    code = "bad_feedback"


class FeedbackConflict(Conflict):
    """An Idempotency-Key that came before with other feedback."""

    code = "feedback_conflict"
