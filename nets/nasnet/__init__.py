"""NASNet and PNASNet."""
