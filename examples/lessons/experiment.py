"""The parameters of a triplet experiment, as a JSON file has them."""
import argparse
import json
from typing import NamedTuple

from slim_common import suggest

# Classes of a batch; the rest of its size is images of each.
CLASSES = 8
STRATEGIES = ('batch_all', 'batch_hard', 'batch_all_then_hard')
_BOUNDS = {'train_size': (100, 4000), 'eval_size': (1, 1000),
           'image_size': (4, 224), 'bn_momentum': (0, 1)}


class Experiment(NamedTuple):
  """An experiment.

  Attributes:
    learning_rate: of Adam; a tenth of it in the second half of
      'batch_all_then_hard'.
    batch_size: number of images, a multiple of 8: batches hold 8 digits.
    num_epochs: how often each image is seen, about.
    num_channels: filters of the first convolution, half those of the second.
    margin: margin of the loss.
    embedding_size: numbers of an embedding.
    triplet_strategy: one of `STRATEGIES`.
    squared: whether the distances in the loss are squared.
    use_batch_norm: whether convolutions are normalized.
    bn_momentum: decay of the averages of the normalization.
    image_size: height and width that images are resized to.
    train_size: number of digits to train on, at most 4,000.
    eval_size: number of digits held out, at most 1,000.
  """
  learning_rate: float = 1e-3
  batch_size: int = 64
  num_epochs: int = 5
  num_channels: int = 32
  margin: float = 0.5
  embedding_size: int = 64
  triplet_strategy: str = 'batch_all_then_hard'
  squared: bool = False
  use_batch_norm: bool = False
  bn_momentum: float = 0.9
  image_size: int = 28
  train_size: int = 4000
  eval_size: int = 500


def read(path):
  """Returns the Experiment of a JSON file; what it leaves out is the default.

  Raises:
    argparse.ArgumentTypeError: the file cannot be read, or a parameter is
      unknown or has no sensible value.
  """
  try:
    with open(path) as file:
      values = json.load(file)
  except (OSError, ValueError) as error:
    raise argparse.ArgumentTypeError('%s: %s' % (path, error))
  if not isinstance(values, dict):
    raise argparse.ArgumentTypeError(
        '%s has no parameters; write such as {"margin": 0.5}.' % path)
  for name, value in values.items():
    fault = _fault(name, value)
    if fault:
      raise argparse.ArgumentTypeError('%s: %s' % (path, fault))
  return Experiment(**values)


def _fault(name, value):
  """Returns what is wrong with a parameter; None if nothing is."""
  defaults = Experiment()._asdict()
  if name not in defaults:
    return 'there is no parameter %s%s There are %s.' % (
        name, suggest.hint(name, defaults), ', '.join(defaults))
  kind = type(defaults[name])
  if kind in (int, float):
    wanted = _wanted_number(name, kind, value)
  elif kind is bool:
    wanted = None if isinstance(value, bool) else 'true or false'
  else:
    wanted = None if value in STRATEGIES else (
        'one of ' + ', '.join(STRATEGIES))
  return wanted and '%s is %s; it must be %s.' % (
      name, json.dumps(value), wanted)


def _wanted_number(name, kind, value):
  """Returns what a number must be; None if it is that."""
  least, most = _BOUNDS.get(name, (0, float('inf')))
  is_number = isinstance(value, (int, kind)) and not isinstance(value, bool)
  is_right = is_number and (least or 1e-9) <= value <= min(most, 1e9)
  if name == 'batch_size' and is_right:
    is_right = value >= 2 * CLASSES and value % CLASSES == 0
  if is_right:
    return None
  if name == 'batch_size':
    return ('a multiple of %d of at least %d, as a batch holds %d digits with '
            'two images each or more' % (CLASSES, 2 * CLASSES, CLASSES))
  text = 'a number' if kind is float else 'a whole number'
  text += ' of at least %d' % least if least else ' above 0'
  return text + ('' if most == float('inf') else ' and at most %d' % most)


# What argparse needs for --params.
FLAG = {'type': read, 'default': Experiment(), 'metavar': 'FILE',
        'help': 'JSON file of parameters, see examples/lessons/experiment.py'}
