"""One file per engine; ``registry.ENGINES`` names them."""
