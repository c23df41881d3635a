"""Price models, one pure file each. ``rate.py`` applies a plan's models to a month of usage."""
