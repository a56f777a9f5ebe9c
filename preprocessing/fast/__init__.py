"""Decoding, resizing and color changes in as few passes as possible."""
