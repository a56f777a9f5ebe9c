"""Trained networks for inference, shared by export and classification."""
