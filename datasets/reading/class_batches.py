"""Batches of P classes with K examples each, as metric learning needs them."""
import numpy as np


def batches(labels, classes_per_batch, samples_per_class, seed=None):
  """Yields, without end, the indices of the examples of each batch.

  Classes come in random order, each once before one comes again; and so do the
  examples of a class. Of a class with fewer examples than K, some repeat.

  Args:
    labels: integers [examples], in memory.
    classes_per_batch: P, at least 2.
    samples_per_class: K, at least 2.
    seed: seed of the order; None for another order every time.

  Yields:
    int64 [P * K], exactly K of each of P classes, class by class.

  Raises:
    ValueError: P or K is too small, or P larger than the number of classes.
  """
  examples = {label: np.flatnonzero(labels == label)
              for label in np.unique(labels)}
  check(classes_per_batch, samples_per_class, len(examples))
  random = np.random.RandomState(seed)
  streams = {label: endless(indices, random)
             for label, indices in examples.items()}
  while True:
    order = random.permutation(list(examples))
    # What is left at the end is shorter than a batch.
    for start in range(0, len(order) - classes_per_batch + 1,
                       classes_per_batch):
      yield np.array([next(streams[label])
                      for label in order[start:start + classes_per_batch]
                      for _ in range(samples_per_class)])


def endless(indices, random):
  """Yields, without end, all indices, and again all in another order."""
  while True:
    yield from random.permutation(indices)


def check(classes_per_batch, samples_per_class, num_classes):
  """Checks P and K.

  Raises:
    ValueError: see `batches`.
  """
  if samples_per_class < 2:
    raise ValueError(
        '--samples_per_class=%d: a triplet needs two examples of a class: give '
        '2 or more.' % samples_per_class)
  if not 2 <= classes_per_batch <= num_classes:
    raise ValueError(
        '--classes_per_batch=%d: give at least 2 and at most %d, the number of '
        'classes that have examples.' % (classes_per_batch, num_classes))
