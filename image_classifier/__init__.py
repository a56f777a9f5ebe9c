"""The work of the five programs, a folder for each."""
from slim_common import tf_versions
