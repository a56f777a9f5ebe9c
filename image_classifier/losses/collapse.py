"""The diagnosis of a triplet loss that stays at its margin."""

# A loss this near to the margin, as a fraction of it, is at the margin.
_NEAR = 0.05
# Classes nearer to each other than this fraction of the margin are one point.
_COLLAPSED = 0.05
_PATIENCE = 5


def message(loss, margin, negative_distance):
  """Returns what is wrong with a triplet loss, or None.

  If all embeddings are equal, every triplet costs the margin and the gradient
  is 0: a collapsed embedding stays collapsed.

  Args:
    loss: value of the triplet loss, without regularization.
    margin: its margin, above 0.
    negative_distance: mean distance of examples of different classes.
  """
  # Not the other way round: a loss that is not a number is at no margin.
  if not abs(loss - margin) <= _NEAR * margin:
    return None
  where = 'The loss, %.4g, is at the margin, %g' % (loss, margin)
  if negative_distance <= _COLLAPSED * margin:
    return (
        '%s, and the mean distance of different classes is %.2g: the '
        'embedding has collapsed to one point. Start again with a lower '
        '--learning_rate, with --loss=triplet_batch_all, or with '
        '--normalize_embedding.' % (where, negative_distance))
  return ('%s: examples of one class are as far apart as those of different '
          'classes (%.2g). If that lasts, change --learning_rate.' % (
              where, negative_distance))


class Monitor:
  """Says once that the loss stays at the margin; see `message`."""

  def __init__(self, margin):
    self._margin = margin
    self._count, self._is_done = 0, False

  def read(self, loss, negative_distance):
    """Returns the message if it holds for the fifth time in a row, or None."""
    text = message(loss, self._margin, negative_distance)
    self._count = self._count + 1 if text else 0
    if self._is_done or self._count < _PATIENCE:
      return None
    self._is_done = True
    return text
