"""One picture in, one picture out: what a network expects of its input."""
from slim_common import tf_versions
