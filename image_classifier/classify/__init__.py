"""The work of classify_image.py."""
