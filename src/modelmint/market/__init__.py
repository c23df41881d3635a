"""Economics of a model that is sold: what a month costs and brings. Sizing, rivals, growth come with later issues."""
