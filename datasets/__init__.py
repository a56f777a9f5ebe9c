"""Datasets as TFRecord files: slim's names, and what reads and writes them."""
from slim_common import tf_versions
