"""ImageNet's label files and archives."""
