"""The conversion engine: source files to TFRecord files."""
