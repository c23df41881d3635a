"""Engines, the predictor (encode, engine, decode) and honest timing. No torch."""
