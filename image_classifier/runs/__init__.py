"""What a training writes to its directory, and how it is resumed."""
