"""Turns one decoded image into the input of a network."""
from slim_common import tf_versions
