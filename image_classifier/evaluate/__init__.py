"""The work of eval_image_classifier.py."""
