"""The work of the five programs, one directory each."""
from slim_common import tf_versions
