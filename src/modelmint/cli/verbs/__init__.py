"""One file per verb. A verb parses its own words, calls one operation, and says what came of it."""
