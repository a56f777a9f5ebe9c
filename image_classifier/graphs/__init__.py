"""Shared by the graphs of training, evaluation and inference."""
