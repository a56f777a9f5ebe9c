"""Turns one decoded image into the input of a network."""
