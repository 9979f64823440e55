"""Reading checkpoints without torch, and without executing anything in them."""
