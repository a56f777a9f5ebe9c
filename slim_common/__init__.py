"""What all parts of the library need and none owns."""
