"""A trained network ready for use, shared by export and classification."""
