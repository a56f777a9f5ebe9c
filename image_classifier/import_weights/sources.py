"""What a source says about a network: names, epsilon, variant, pixels."""
from typing import NamedTuple, Optional, Sequence

from image_classifier.import_weights.name_rules import Rule


class Row(NamedTuple):
  """A network of a source.

  Attributes:
    rules: `Rule`s from scopes here to names there.
    epsilon: that of the source's batch normalization.
    variant: the key of `variants.VARIANTS` that computes as the source does.
    preprocessing: name of the preprocessing; None for that of the source.
    swap_colors: whether the source's images are BGR.
    has_biases: whether convolutions have a bias that ours do not have.
  """
  rules: Sequence[Rule]
  epsilon: float = 1e-3
  variant: str = 'slim'
  preprocessing: Optional[str] = None
  swap_colors: bool = False
  has_biases: bool = False
