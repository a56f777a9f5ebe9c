"""What classify_image.py does."""
