"""Recipes: from a trained network to graphs that cost less. One small file per step, named in ``recipe.STEPS``."""
