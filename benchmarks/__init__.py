"""Programs that measure speed, memory and size; README.md has the figures."""
from slim_common import tf_versions
