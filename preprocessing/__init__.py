"""One picture in, one picture out: what a network expects of its input."""
