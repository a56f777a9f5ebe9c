"""Compares exports with the checkpoint they come from."""
import collections

import numpy as np

# How much the logits of a form may differ. In floating point, the largest
# difference counts, as a share of the largest logit: frozen, nothing but the
# order of sums changes; folding rounds the weights anew.
#
# In 8 bits every logit differs, and the root of the mean square counts, as a
# share of the spread of a picture's logits. A step is 1/255 of the range of a
# tensor, which is some 6 to 12 times its spread; rounding to steps errs by
# 0.29 of one, that is 1 % of the spread. The activations and the weights of n
# layers add up to sqrt(2 n) times as much: 8 % for 30 layers, 17 % for 150.
# Logits that have nothing to do with the checkpoint's differ by 140 %.
TOLERANCES = {
    'frozen': 1e-5,
    'folded': 1e-4,
    'saved_model': 1e-5,
    'saved_model_folded': 1e-4,
    'tflite': 1e-4,
    'int8': 0.25,
}
_ROUNDED = 'int8'

# A class may change where the two most probable are nearer to each other than
# this many standard deviations of the difference of two rounded logits.
_DEVIATIONS = 5

# difference: see TOLERANCES. agreeing: the number of pictures with the same
# most probable class. changed: of the others, those where rounding to 8 bits
# does not explain it; 0 for a form in floating point.
Comparison = collections.namedtuple(
    'Comparison', 'form difference tolerance agreeing pictures changed')


def compare(form, expected, runner, images):
  """Runs pictures through an export.

  Args:
    form: a key of TOLERANCES.
    expected: logits of the checkpoint's graph, float32 [pictures, classes].
    runner: the export, see `runners`.
    images: the pictures, float32 arrays of one batch each.

  Returns:
    A Comparison.
  """
  logits = np.concatenate([runner.run(batch)[0] for batch in images])
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

  What all logits of a picture share does not change the probabilities.
  """
  return np.sqrt(np.mean(
      np.square(values - values.mean(axis=1, keepdims=True))))


def _is_near(logits, expected):
  """Returns whether rounding may change the class, bool [pictures].

  The error of one logit is estimated by the median of a picture's errors, for
  a class that has gone wrong must not excuse itself.
  """
  errors = logits - expected
  errors = errors - np.median(errors, axis=1, keepdims=True)
  # 1.48 medians of the size are a standard deviation of normal errors.
  sizes = 1.48 * np.median(np.abs(errors), axis=1)
  sizes = np.maximum(sizes, np.sqrt(np.mean(np.square(sizes))))
  first = expected.max(axis=1)
  # The margin counts to the class that has taken the place of the first.
  second = expected[np.arange(len(logits)), logits.argmax(axis=1)]
  with np.errstate(invalid='ignore'):  # Logits that are no numbers.
    return first - second <= _DEVIATIONS * np.sqrt(2) * sizes


def expected_logits(checkpoint, images):
  """Returns the logits of the checkpoint's graph, float32 [pictures, classes].

  Args:
    checkpoint: the runner of that graph.
    images: as for `compare`.
  """
  return np.concatenate([checkpoint.run(batch)[0] for batch in images])


def line(comparison):
  """Returns a Comparison as a line of text."""
  measure = ('error %.1e of the spread of the logits'
             if comparison.form == _ROUNDED
             else 'largest difference %.1e of the largest logit')
  text = 'Verified %s: %s (tolerance %.2g), same class on %d of %d pictures' % (
      comparison.form, measure % comparison.difference, comparison.tolerance,
      comparison.agreeing, comparison.pictures)
  if comparison.changed:
    text += ', another on %d where the first was far ahead' % comparison.changed
  return text


def check(comparisons):
  """Checks that every export is within its tolerance.

  Raises:
    ValueError: one is not, is not a number, or gives another class to a
      picture whose class was not in doubt.
  """
  for comparison in comparisons:
    if (not comparison.difference <= comparison.tolerance
        or comparison.changed):
      raise ValueError(
          'The export differs from the checkpoint, nothing was written. %s.%s'
          % (line(comparison), ' More pictures of the kind to be classified '
             'may help: --calibration_examples, --calibration_split.'
             if comparison.form == _ROUNDED else ''))
