"""From TFRecord files to batches of images and labels."""
