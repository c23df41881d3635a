"""Export, quantisation, candidates."""
