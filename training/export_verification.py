"""Compares exports with the checkpoint they come from."""
import collections

import numpy as np

# How much the logits of a form may differ, as a share of the largest logit.
# Frozen, nothing but the order of sums changes; folding rounds the weights
# anew; 8 bits keep some 1 % of a layer's range.
TOLERANCES = {
    'frozen': 1e-5,
    'folded': 1e-4,
    'saved_model': 1e-5,
    'saved_model_folded': 1e-4,
    'tflite': 1e-4,
    'int8': 0.25,
}

# difference: the largest of the logits, as a share of the largest logit.
# agreeing: the number of pictures with the same most probable class.
Comparison = collections.namedtuple(
    'Comparison', 'form difference tolerance agreeing pictures')


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
  largest = max(np.abs(expected).max(), 1e-6)
  difference = np.abs(logits - expected).max() / largest
  agreeing = (logits.argmax(axis=1) == expected.argmax(axis=1)).sum()
  return Comparison(form, float(difference), TOLERANCES[form], int(agreeing),
                    len(expected))


def expected_logits(checkpoint, images):
  """Returns the logits of the checkpoint's graph, float32 [pictures, classes].

  Args:
    checkpoint: the runner of that graph.
    images: as for `compare`.
  """
  return np.concatenate([checkpoint.run(batch)[0] for batch in images])


def line(comparison):
  """Returns a Comparison as a line of text."""
  return ('Verified %s: largest difference %.1e of the largest logit '
          '(tolerance %.0e), same class on %d of %d pictures' % comparison)


def check(comparisons):
  """Checks that every export is within its tolerance.

  Raises:
    ValueError: one is not, or is not a number.
  """
  for comparison in comparisons:
    if not comparison.difference <= comparison.tolerance:
      raise ValueError(
          'The export differs from the checkpoint, nothing was written. %s.%s'
          % (line(comparison), ' More pictures of the kind to be classified '
             'may help: --calibration_examples, --calibration_split.'
             if comparison.form == 'int8' else ''))
