"""Losses, in TensorFlow for training and in NumPy for evaluation."""
