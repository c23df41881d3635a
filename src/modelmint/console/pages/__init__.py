"""One file per subject: functions from what was asked to what is shown, and the routes that lead to them."""
