"""The settings of a NASNet or PNASNet.

It offers what users of `tf.contrib.training.HParams` call on the result of
the configuration getters, and needs no contrib. An object of contrib's class
with the same attributes works as a configuration too.
"""
import dataclasses
import numbers

from slim_common import suggest


@dataclasses.dataclass
class HParams:
  """Settings of a network; the getters of nasnet and pnasnet fill them in.

  Attributes:
    num_cells: cells without the stem, in NASNet without reduction cells too.
    num_conv_filters: filters of an operation in the first cells.
    stem_multiplier: width of the first convolution: times 32, in the CIFAR
      network times `num_conv_filters`.
    total_training_steps: steps until paths are dropped at the full rate.
    drop_path_keep_prob: share of the paths kept in the last cell at the end
      of the training; 1.0 drops none.
    dense_dropout_keep_prob: share of the features kept before the logits.
    skip_reduction_layer_input: NASNet: 1 if the second input of the cell
      after a reduction is the output before the reduction's input, 0 if it is
      that input. PNASNet: 1 if the second input of a reducing cell is the
      input of the cell before, 0 if it is the output before that.
    filter_scaling_rate: growth of the filters at each reduction.
    num_reduction_layers: how often the pictures are halved after the stem.
    use_aux_head: 1 for auxiliary logits in training, 0 for none.
    data_format: 'NHWC' or 'NCHW', the layout inside of the network.
    use_bounded_activation: whether all activations stay within [-6, 6], as
      fixed-point inference wants it.
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
_DESCRIPTIONS = {int: 'a whole number', float: 'a number', str: 'a string',
                 bool: 'True or False'}


def unknown(kind, name, known):
  """Returns the ValueError for a `name` that is not one of `known`."""
  return ValueError('Unknown %s %s%s Known are: %s' % (
      kind, name, suggest.hint(name, known), ', '.join(known)))


def _fits(value, wanted):
  if wanted is str:
    return isinstance(value, str)
  if wanted is bool:
    return value in (0, 1)
  if wanted is int:
    return isinstance(value, numbers.Integral)
  return isinstance(value, numbers.Real)
