"""Lessons on what a training leaves: checkpoints, graphs, sessions."""
