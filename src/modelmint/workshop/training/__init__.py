"""The training loop and its replaceable parts."""
