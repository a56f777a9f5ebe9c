"""Decoding, resizing and colour changes in as few passes as possible."""
