"""Weights of a first convolution for images of another number of channels.

A checkpoint for color images starts one for grayscale images, whose one channel
stands for the three of equal value: their weights are summed. Of images with a
fourth channel the first three are the colors; the fourth starts with the mean
of their weights.
"""
from typing import Optional, Sequence

import numpy as np

_COLORS = 3
_ADAPTED = (1, 4)
# [filter height, filter width, channels, filters]; of videos, frames first.
_CHANNELS = -2


def is_adaptable(name: str, here: Sequence[int],
                 there: Sequence[int]) -> bool:
  """Returns whether `adapt` makes a variable of one in a checkpoint.

  Args:
    name: name of the variable.
    here, there: its shape in the network and in the checkpoint.
  """
  # A separable convolution has weights per channel and filter, which no sum
  # replaces.
  return _other_channels(here, there) and not _is_separable(name)


def hint(name: str, here: Sequence[int],
         there: Sequence[int]) -> Optional[str]:
  """Returns what to type where a variable differs so; None otherwise."""
  if not _other_channels(here, there):
    return None
  if _is_separable(name):
    return ('A separable convolution is not adapted: add %s to '
            '--checkpoint_exclude_scopes.' % name.rsplit('/', 1)[0])
  return ('Or pass --adapt_first_convolution, which starts from the weights of '
          'the %d channels.' % _COLORS)


def adapt(weights: np.ndarray, channels: int) -> np.ndarray:
  """Returns the weights for images of 1 or 4 channels.

  Args:
    weights: float array [..., 3, filters].
    channels: 1 or 4.

  Returns:
    An array [..., channels, filters] of the same type.
  """
  if channels == 1:
    return weights.sum(_CHANNELS, keepdims=True, dtype=weights.dtype)
  mean = weights.mean(_CHANNELS, keepdims=True, dtype=weights.dtype)
  return np.concatenate([weights, mean], _CHANNELS)


def _other_channels(here, there):
  """Whether shapes differ in that there are 3 channels there, 1 or 4 here."""
  here, there = list(here), list(there)
  return len(here) == len(there) >= 4 and (
      there[_CHANNELS] == _COLORS and here[_CHANNELS] in _ADAPTED) and (
          here[:_CHANNELS] == there[:_CHANNELS] and here[-1] == there[-1])


def _is_separable(name):
  return '/depthwise_weights' in name
