"""The settings of a NASNet or PNASNet.

The class has the methods of `tf.contrib.training.HParams` that callers of the
configuration getters use, without contrib. An object of contrib's class with
the same attributes is accepted as a configuration too.
"""
import dataclasses
import numbers

from slim_common import suggest


@dataclasses.dataclass
class HParams:
  """Settings of a network, created by the getters of nasnet and pnasnet.

  Attributes:
    num_cells: number of cells without the stem, and in NASNet without
      reduction cells.
    num_conv_filters: filters of an operation in the first cells.
    stem_multiplier: filters of the first convolution, as a multiple of 32 (of
      `num_conv_filters` in the CIFAR network).
    total_training_steps: steps until the final drop rate is reached.
    drop_path_keep_prob: probability of keeping a path in the last cell at the
      end of training; 1.0 drops none.
    dense_dropout_keep_prob: fraction of features kept before the logits.
    skip_reduction_layer_input: NASNet: 0 if the second input of the cell
      after a reduction is the input of the reduction, 1 for the output before
      that. PNASNet: 1 if the second input of a reducing cell is the input of
      the cell before, 0 for the output before that.
    filter_scaling_rate: factor of the filters at each reduction.
    num_reduction_layers: number of reductions after the stem.
    use_aux_head: 1 for auxiliary logits in training, 0 for none.
    data_format: 'NHWC' or 'NCHW', the layout inside the network.
    use_bounded_activation: whether all activations are within [-6, 6], for
      fixed-point inference.
  """
  num_cells: int
  num_conv_filters: int
  stem_multiplier: float
  total_training_steps: int
  drop_path_keep_prob: float = 1.0
  dense_dropout_keep_prob: float = 0.5
  skip_reduction_layer_input: int = 0
  filter_scaling_rate: float = 2.0
  num_reduction_layers: int = 2
  use_aux_head: int = 1
  data_format: str = 'NHWC'
  use_bounded_activation: bool = False

  def __setattr__(self, name, value):
    """Sets one value; ValueError if the name or the type is wrong."""
    if name not in _TYPES:
      raise unknown('hyperparameter', name, _TYPES)
    wanted = _TYPES[name]
    if not _fits(value, wanted):
      raise ValueError('Hyperparameter %s must be %s, not %r.' % (
          name, _DESCRIPTIONS[wanted], value))
    super().__setattr__(name, value)

  def __contains__(self, name):
    return name in _TYPES

  def get(self, name, default=None):
    """Returns a value, or `default` for an unknown name."""
    return getattr(self, name) if name in self else default

  def set_hparam(self, name, value):
    """Sets one value, as `config.name = value` does."""
    setattr(self, name, value)

  def override_from_dict(self, values):
    """Sets the values of a dict; returns this object."""
    for name, value in values.items():
      setattr(self, name, value)
    return self

  def values(self):
    """Returns a dict from name to value."""
    return dataclasses.asdict(self)


_TYPES = {field.name: field.type for field in dataclasses.fields(HParams)}
_DESCRIPTIONS = {int: 'an integer', float: 'a number', str: 'a string',
                 bool: 'True or False'}


def unknown(kind, name, known):
  """Returns the ValueError for a `name` that is not in `known`."""
  return ValueError('Unknown %s %s%s Known are: %s' % (
      kind, name, suggest.hint(name, known), ', '.join(known)))


def _fits(value, wanted):
  if wanted is bool:
    return value in (0, 1)
  return isinstance(
      value, {int: numbers.Integral, float: numbers.Real}.get(wanted, wanted))
