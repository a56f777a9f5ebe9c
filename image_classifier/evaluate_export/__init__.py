"""Evaluation of exported networks."""
