"""Which statistics the batch normalisation of a training run uses.

A layer in training mode normalises with the mean and variance of the batch,
and keeps moving averages of them for evaluation. A frozen layer uses the
averages that it has, and leaves them alone: so a layer that is not trained
computes in training what it will compute in evaluation.
"""
import collections

from image_classifier.checkpoints import warm_start

# A moving average has forgotten its initial value after so many time
# constants 1 / (1 - decay).
_TIME_CONSTANTS = 10
# What slim.batch_norm does where no scope says otherwise.
_DEFAULT_DECAY = 0.999

# `decay` is None for a frozen layer.
Layer = collections.namedtuple('Layer', 'name decay')


class Chooser:
  """Chooses the arguments of each layer, and remembers the layers.

  It is a function for `nets.normalization.overridden`.
  """

  def __init__(self, freeze, decay, trainable_scopes):
    """Makes the function.

    Args:
      freeze: True freezes all layers, False none, None those of which no
        variable is trained.
      decay: decay of the moving averages; None for that of the network.
      trainable_scopes: beginnings of the names of variables that are trained,
        as regular expressions; none of them means all variables.
    """
    self._layers = {}
    self._freeze = freeze
    self._decay = decay
    self._trained = warm_start.patterns(trainable_scopes)

  @property
  def layers(self):
    """A list with a Layer for each layer that was to be in training mode."""
    return list(self._layers.values())

  def __call__(self, name, arguments):
    """Returns the arguments of a layer that change, a dict."""
    if not arguments.get('is_training', True):
      return {}
    if self._is_frozen(name):
      self._layers[name] = Layer(name, None)
      return {'is_training': False}
    decay = self._decay
    if decay is None:
      decay = arguments.get('decay', _DEFAULT_DECAY)
    # Clones build each layer again.
    self._layers[name] = Layer(name, decay)
    return {'decay': decay}

  def _is_frozen(self, name):
    if self._freeze is not None:
      return self._freeze
    return bool(self._trained) and not any(
        scope.match('%s/%s' % (name, variable))
        for scope in self._trained for variable in ('gamma', 'beta'))


def describe(layers, num_steps, flags_given=()):
  """Returns lines about the layers for the start of a run.

  Args:
    layers: list of Layers.
    num_steps: number of steps of the run; None if it is not known.
    flags_given: names of the flags given that are about these layers.
  """
  if not layers:
    return ['Warning: --%s has no effect: the network has no batch '
            'normalisation.' % name for name in flags_given]
  lines = []
  decays = [layer.decay for layer in layers if layer.decay is not None]
  if len(decays) < len(layers):
    lines.append('Batch normalisation: %d of %d layers frozen: they keep the '
                 'statistics they have.' % (
                     len(layers) - len(decays), len(layers)))
  decay = max(decays, default=0)
  wanted = _TIME_CONSTANTS / max(1 - decay, 1e-9)
  if decay and num_steps is not None and num_steps < wanted:
    lines.append(
        'Warning: the statistics that batch normalisation keeps for evaluation '
        'follow with a decay of %g, for which %d steps are few (at least %d). '
        'The evaluation may be much worse than the training: '
        '--batch_norm_decay=%.4g or more steps.' % (
            decay, num_steps, round(wanted),
            max(0.5, 1 - _TIME_CONSTANTS / max(num_steps, 1))))
  return lines
