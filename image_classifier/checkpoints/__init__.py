"""Checkpoints: found, saved, and loaded into another network."""
