"""Network architectures: one file a family, found by name in nets_factory."""
from slim_common import tf_versions
