"""Finding and saving checkpoints, and loading them into other networks."""
