"""Which statistics the batch normalization of a training run uses.

A layer in training mode normalizes with the mean and variance of the batch,
and keeps moving averages of them for evaluation. A frozen layer uses the
averages that it has and does not update them, so that a layer that is not
trained computes the same in training and in evaluation. A layer that is not
trained and whose averages the checkpoint lacks has none to keep: its mean 0 and
variance 1 are not those of its inputs. It stays in training mode.

The averages of a short run: at slim's decay of 0.9997 they need 33,000 steps to
forget where they started. After fewer, evaluation would use those of another
dataset, or of none, so that the decay follows the length of the run unless
--batch_norm_decay is given. The weights never depend on these averages.
"""
from typing import List, NamedTuple, Optional

from image_classifier.checkpoints import foreign_names
from image_classifier.checkpoints import warm_start

# Time constants 1 / (1 - decay) after which the initial value of a moving
# average no longer matters.
_TIME_CONSTANTS = 10
# The default of slim.batch_norm.
_DEFAULT_DECAY = 0.999
# Averages of fewer batches than two vary too much.
_MIN_DECAY = 0.5


class Layer(NamedTuple):
  """A layer of batch normalization.

  Attributes:
    name: its variable scope.
    decay: decay of its moving averages; None for a frozen layer.
    lacks_statistics: whether it would be frozen by what is trained, or is by
      --freeze_batch_norm, although the checkpoint lacks its moving averages.
    own_decay: decay that the network asks for; None for a frozen layer.
  """
  name: str
  decay: Optional[float]
  lacks_statistics: bool = False
  own_decay: Optional[float] = None


class BatchNormMode:
  """Overrides the arguments of each layer, and records the layers.

  A function for `nets.normalization.overridden`.

  Args:
    freeze: True freezes all layers, False none, None those without a trained
      variable.
    decay: decay of the moving averages; None for that of the network.
    trainable_scopes: regular expressions for the start of the names of the
      trained variables; an empty sequence means all variables.
    is_loaded: function of a variable's name: whether the checkpoint of a warm
      start gives it; None without one.
    num_steps: number of steps of the run; None if it does not end.
  """

  def __init__(self, freeze, decay, trainable_scopes, is_loaded=None,
               num_steps=None):
    self._layers = {}
    self._num_steps = num_steps
    self._is_loaded = is_loaded
    self._freeze = freeze
    self._decay = decay
    self._trained = warm_start.patterns(trainable_scopes)

  @property
  def layers(self) -> List[Layer]:
    """The layers that the network asked to be in training mode."""
    return list(self._layers.values())

  def __call__(self, name, arguments):
    """Returns a dict of the arguments of a layer to override."""
    if not arguments.get('is_training', True):
      return {}
    is_frozen = self._is_frozen(name)
    lacks = is_frozen and self._lacks_statistics(name)
    if is_frozen and (self._freeze or not lacks):
      self._layers[name] = Layer(name, None, lacks)
      return {'is_training': False}
    own = arguments.get('decay', _DEFAULT_DECAY)
    decay = self._decay
    if decay is None:
      decay = decay_of_run(own, self._num_steps)
    # Clones build each layer again.
    self._layers[name] = Layer(name, decay, lacks, own)
    return {'decay': decay}

  def _lacks_statistics(self, name):
    return self._is_loaded is not None and not all(
        self._is_loaded('%s/%s' % (name, statistic))
        for statistic in foreign_names.STATISTICS)

  def _is_frozen(self, name):
    if self._freeze is not None:
      return self._freeze
    return bool(self._trained) and not any(
        scope.match('%s/%s' % (name, variable))
        for scope in self._trained for variable in ('gamma', 'beta'))


def decay_of_run(decay: float, num_steps: Optional[int]) -> float:
  """Returns the decay with which a run's averages forget their initial value.

  Args:
    decay: decay of the network.
    num_steps: number of steps of the run; None if it does not end.
  """
  if num_steps is None or num_steps >= _steps_wanted(decay):
    return decay
  # What is left of the initial value at the end is exp(-10), or in a run of
  # less than 20 steps 2 to the power of -num_steps.
  return min(decay, max(_MIN_DECAY, 1 - _TIME_CONSTANTS / num_steps))


def _steps_wanted(decay):
  """Returns the steps after which the initial values no longer matter."""
  return _TIME_CONSTANTS / max(1 - decay, 1e-9)


def describe(layers, num_steps, flags_given=()):
  """Returns lines about the layers for the start of a run.

  Args:
    layers: list of Layer.
    num_steps: number of steps of the run; None if it does not end.
    flags_given: names of the given flags that concern these layers.
  """
  if not layers:
    return ['Warning: --%s has no effect: the network has no batch '
            'normalization.' % name for name in flags_given]
  lines = []
  decays = [layer.decay for layer in layers if layer.decay is not None]
  if len(decays) < len(layers):
    lines.append('Batch normalization: %d of %d layers frozen, which keep '
                 'their statistics.' % (
                     len(layers) - len(decays), len(layers)))
  lines += _without_statistics(layers)
  shortened = [layer for layer in layers if layer.own_decay is not None
               and layer.decay < layer.own_decay]
  decay = max(decays, default=0)
  wanted = _steps_wanted(decay)
  if shortened and 'batch_norm_decay' not in flags_given:
    own = max(layer.own_decay for layer in shortened)
    lines.append(
        'Batch normalization: the decay of the statistics for evaluation is '
        '%.4g, to suit %d steps. --batch_norm_decay=%g restores that of the '
        'network, for %d steps or more.' % (
            decay, num_steps, own, round(_steps_wanted(own))))
  elif decay and num_steps is not None and num_steps < wanted:
    lines.append(
        'Warning: the batch normalization statistics for evaluation have a '
        'decay of %g, which needs more than %d steps (at least %d). Evaluation '
        'may be much worse than training: give --batch_norm_decay=%.4g or more '
        'steps.' % (
            decay, num_steps, round(wanted), decay_of_run(decay, num_steps)))
  return lines


def _without_statistics(layers):
  """Returns a list with a warning if the checkpoint lacks statistics."""
  lacking = [layer for layer in layers if layer.lacks_statistics]
  if not lacking:
    return []
  are_frozen = lacking[0].decay is None
  return ['Warning: the checkpoint lacks the batch normalization statistics '
          '(moving_mean, moving_variance) of %d of %d layers, such as %s. %s' %
          (len(lacking), len(layers), lacking[0].name,
           'They are frozen with mean 0 and variance 1: leave out '
           '--freeze_batch_norm.' if are_frozen else
           'They are not frozen and compute them from the batches.')]
