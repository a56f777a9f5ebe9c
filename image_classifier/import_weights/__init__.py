"""Weights of other frameworks as checkpoints; see importing.py."""
