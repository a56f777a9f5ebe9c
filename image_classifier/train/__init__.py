"""What train_image_classifier.py does."""
