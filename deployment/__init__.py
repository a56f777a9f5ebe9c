"""Devices and processes: clones of a model, workers, parameter servers."""
from slim_common import tf_versions
