"""Batches by class, as lists of indices."""
import numpy as np
import pytest

from datasets.reading import class_batches


def test_batches_of_p_classes_with_k_examples():
  labels = np.array([0] * 5 + [1] * 7 + [2] * 2 + [5] * 30)
  stream = class_batches.batches(labels, 3, 4, seed=1)
  batches = [next(stream) for _ in range(200)]
  for batch in batches:
    found, counts = np.unique(labels[batch], return_counts=True)
    assert len(found) == 3 and (counts == 4).all()
  used = np.bincount(np.concatenate(batches), minlength=len(labels))
  assert used.min() > 0
  # Every example of a class comes equally often.
  assert np.ptp(used[labels == 5]) <= 1
  again = class_batches.batches(labels, 3, 4, seed=1)
  np.testing.assert_array_equal(batches[:9], [next(again) for _ in range(9)])


@pytest.mark.parametrize('p, k, message', [
    (2, 1, '--samples_per_class=1: a triplet needs two examples of a class: '
     'give 2 or more.'),
    (1, 2, '--classes_per_batch=1: give at least 2 and at most 3, the number '
     'of classes that have examples.'), (4, 2, '--classes_per_batch=4')])
def test_impossible_batches(p, k, message):
  with pytest.raises(ValueError) as error:
    next(class_batches.batches(np.array([0, 1, 2]), p, k))
  assert message in str(error.value)
