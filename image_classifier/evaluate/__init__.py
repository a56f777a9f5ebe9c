"""What eval_image_classifier.py does."""
