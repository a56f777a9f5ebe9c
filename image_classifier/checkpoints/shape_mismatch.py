"""The likely cause where a variable's shape differs between two networks."""
import collections
import re
from typing import Dict, List

_AVERAGE = '/ExponentialMovingAverage'

# Networks of several widths: the prefix of their variables' names, a variable
# whose last dimension is the width times `channels`, and the name per width.
_Family = collections.namedtuple('_Family', 'scope variable channels names')
_FAMILIES = [
    _Family('MobilenetV1/', 'MobilenetV1/Conv2d_13_pointwise/weights', 1024, {
        1.0: 'mobilenet_v1', 0.75: 'mobilenet_v1_075', 0.5: 'mobilenet_v1_050',
        0.25: 'mobilenet_v1_025'}),
    _Family('MobilenetV2/', 'MobilenetV2/expanded_conv_16/project/weights', 320, {
        1.0: 'mobilenet_v2', 1.4: 'mobilenet_v2_140', 0.35: 'mobilenet_v2_035'}),
    _Family('MobilenetEdgeTPU/', 'MobilenetEdgeTPU/expanded_conv_21/project/weights', 192, {
        1.0: 'mobilenet_edgetpu', 0.75: 'mobilenet_edgetpu_075'})]

# Layers whose width is the number of classes, with the layers inside them.
_HEAD = re.compile(r'(^|/)(aux_?)?(logits|fc8|fc4|fc)/', re.IGNORECASE)


def is_head(name: str) -> bool:
  """Returns whether a variable of these networks belongs to a head."""
  return bool(_HEAD.search(name))


def cause(name: str, theirs: Dict[str, List[int]],
          ours: Dict[str, List[int]]) -> str:
  """Returns a sentence: why a shape differs, and what to type instead.

  Args:
    name: name of the variable that differs.
    theirs, ours: dicts {name: shape} of the checkpoint and of the network.
  """
  other = _width(name, theirs, ours)
  if other:
    return other
  there, here = theirs[name], ours[name]
  if there[:-1] == here[:-1]:
    if (there[-1], here[-1]) == (1000, 1001):
      return 'The checkpoint has no background class: pass --labels_offset=1.'
    if (there[-1], here[-1]) == (1001, 1000):
      return 'The checkpoint has a background class: pass --labels_offset=0.'
    if is_head(name):
      return ('The checkpoint has %d classes, not %d: check --dataset_name and '
              '--dataset_dir (or --num_classes).' % (there[-1], here[-1]))
  channels = there[2:3] + here[2:3]
  if len(there) == 4 and sorted(channels) in ([1, 3], [3, 4]) and (
      there[:2] + there[3:] == here[:2] + here[3:]):
    sentence = 'The checkpoint takes images of %d channels and these have %d'
    return sentence % tuple(channels) + (
        ': see --use_grayscale.' if 1 in channels else '.')
  return 'It was trained with another network or width: check --model_name.'


def _width(name, theirs, ours):
  """Returns a sentence if only the width of the networks differs, or ''."""
  for family in _FAMILIES:
    there, here = (_channels(family, shapes) for shapes in (theirs, ours))
    if not name.startswith(family.scope) or None in (there, here):
      continue
    width = there / family.channels
    if there == here:
      return ''
    if width in family.names:
      return 'The checkpoint is width %g: --model_name=%s.' % (
          width, family.names[width])
    return ('The checkpoint is width %.3g, which no network has; there are '
            '%s.' % (width, ', '.join(sorted(family.names.values()))))
  return ''


def _channels(family, shapes):
  for name in (family.variable, family.variable + _AVERAGE):
    if name in shapes:
      return shapes[name][-1]
  return None
