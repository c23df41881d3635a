"""From usage and what is held to invoices: periods, proration, steps in a written order."""
