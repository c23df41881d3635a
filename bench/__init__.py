"""The figures Modelmint claims, measured on the machine that runs this: ``make bench`` or ``python -m bench``."""
