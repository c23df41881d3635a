"""A release told whole: one set of facts, and the page, report and card that read it."""
