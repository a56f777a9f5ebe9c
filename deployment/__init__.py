"""Where a model runs: clones on several devices, and workers."""
from slim_common import tf_versions
