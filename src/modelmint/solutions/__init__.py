"""One folder per trade: its venture template and README."""
