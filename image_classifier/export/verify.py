"""Comparison of exports with their checkpoint."""
import collections

import numpy as np

# How much the logits of a form may differ. In floating point, this is the
# largest difference, as a fraction of the largest logit. Freezing changes only
# the order of sums; folding rounds the weights once more.
#
# In 8 bits, it is the standard deviation of the differences, as a fraction of
# that of an image's logits. A step is 1/255 of the range of a tensor, which is
# some 6 to 12 of its standard deviations; the error of rounding is 0.29 steps,
# that is 1 % of a standard deviation. Over n layers with weights and
# activations this grows by sqrt(2 n): 8 % for 30 layers, 17 % for 150. Logits
# unrelated to those of the checkpoint differ by 140 %.
TOLERANCES = {
    'frozen': 1e-5, 'folded': 1e-4, 'saved_model': 1e-5,
    'saved_model_folded': 1e-4, 'tflite': 1e-4, 'onnx': 1e-4,
    'int8': 0.25}
_ROUNDED = 'int8'

# The predicted class may change if the two largest logits differ by fewer than
# this number of standard deviations of the difference of two rounded logits.
_DEVIATIONS = 5

Comparison = collections.namedtuple(
    'Comparison', 'form difference tolerance agreeing images changed')
Comparison.__doc__ = """The comparison of an export with its checkpoint.

Attributes:
  form: str, a key of TOLERANCES.
  difference: float, relative difference of the logits; see TOLERANCES.
  tolerance: float, the allowed difference.
  agreeing: int, number of images with the same predicted class.
  images: int, number of images.
  changed: int, number of images with another predicted class that rounding to
    8 bits does not explain; 0 for a form in floating point.
"""


def compare(form, expected, backend, images):
  """Returns the Comparison of an export on images.

  Args:
    form: a key of TOLERANCES.
    expected: logits of the checkpoint's graph, float32 [images, classes].
    backend: the backend of the export, see `backends`.
    images: list of float32 arrays of one batch each.
  """
  logits = np.concatenate([backend.run(batch)[0] for batch in images])
  agree = logits.argmax(axis=1) == expected.argmax(axis=1)
  if form == _ROUNDED:
    difference = _deviation(logits - expected) / max(
        _deviation(expected), 1e-6)
    changed = int((~agree & ~_is_near(logits, expected)).sum())
  else:
    difference = np.abs(logits - expected).max() / max(
        np.abs(expected).max(), 1e-6)
    changed = 0
  return Comparison(form, float(difference), TOLERANCES[form],
                    int(agree.sum()), len(expected), changed)


def _deviation(values):
  """Returns the standard deviation about the mean of each row.

  A constant added to all logits of an image does not change the probabilities.
  """
  return np.sqrt(np.mean(
      np.square(values - values.mean(axis=1, keepdims=True))))


def _is_near(logits, expected):
  """Returns whether rounding may change the class, bool [images].

  The error of a logit is estimated by the median over an image, which a single
  wrong logit does not raise.
  """
  errors = logits - expected
  errors = errors - np.median(errors, axis=1, keepdims=True)
  # The standard deviation of normal errors is 1.48 medians of their size.
  sizes = 1.48 * np.median(np.abs(errors), axis=1)
  sizes = np.maximum(sizes, np.sqrt(np.mean(np.square(sizes))))
  first = expected.max(axis=1)
  # The logit of the class that has replaced the first.
  second = expected[np.arange(len(logits)), logits.argmax(axis=1)]
  with np.errstate(invalid='ignore'):  # Logits may be NaN.
    return first - second <= _DEVIATIONS * np.sqrt(2) * sizes


def expected_logits(checkpoint, images):
  """Returns float32 [images, classes], the logits of a checkpoint's backend."""
  return np.concatenate([checkpoint.run(batch)[0] for batch in images])


def describe(comparison):
  """Returns a Comparison as a line of text."""
  measure = ('error %.1e of the standard deviation of the logits'
             if comparison.form == _ROUNDED
             else 'largest difference %.1e of the largest logit')
  text = 'Verified %s: %s (tolerance %.2g), same class on %d of %d images' % (
      comparison.form, measure % comparison.difference, comparison.tolerance,
      comparison.agreeing, comparison.images)
  if comparison.changed:
    text += ', another on %d with a clear first class' % comparison.changed
  return text


def check(comparisons):
  """Checks that every export is within its tolerance.

  Raises:
    ValueError: one is not, has NaN logits, or changes the class of an image
      whose class was clear.
  """
  for comparison in comparisons:
    if not comparison.difference <= comparison.tolerance or comparison.changed:
      raise ValueError(
          'The export differs from the checkpoint, nothing was written. %s.%s'
          % (describe(comparison), ' More images like those to be classified '
             'may help: --calibration_examples, --calibration_split.'
             if comparison.form == _ROUNDED else ''))
