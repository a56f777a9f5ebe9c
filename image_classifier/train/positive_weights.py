"""The weight of a yes in losses that ask yes or no for each class."""
from typing import Optional

import numpy as np

from image_classifier.train import class_weights

_FLAG = 'positive_weights'


def load(option: Optional[str], dataset, dataset_dir,
         split) -> Optional[np.ndarray]:
  """Returns the weights of the classes' positive examples.

  'auto' weights a yes by the number of noes for each yes, so that both have the
  same total weight; images whose label is not known do not count. A class
  without a yes has the weight 1.

  Args:
    option: 'auto'; a number for all classes; the path of a CSV file with lines
      `name,weight` or `id,weight`, of the classes whose weight is not 1; or
      None.
    dataset: the `slim.dataset.Dataset`.
    dataset_dir: the directory of the dataset's dataset_info.json.
    split: the split whose examples are counted for 'auto'.

  Returns:
    A float32 array [dataset.num_classes], or None.

  Raises:
    ValueError: the numbers of examples are not known, or the file or the
      number is wrong.
  """
  if option is None:
    return None
  if option == 'auto':
    return _balanced(dataset, class_weights.examples_per_class(
        dataset_dir, split, _FLAG))
  weights = np.ones(dataset.num_classes, np.float32)
  try:
    number = float(option)
  except ValueError:
    for label, weight in class_weights.read(
        option, dataset.labels_to_names or {}, _FLAG).items():
      weights[label] = weight
    return weights
  if not 0 < number < float('inf'):
    raise ValueError('--positive_weights=%s must be above 0; more than 1 makes '
                     'a missed yes cost more.' % option)
  return weights * np.float32(number)


def describe(weights, labels, class_names):
  """Returns lines about the weights of `load` for the start of a run.

  Args:
    weights: as `load` returns them.
    labels: list of the ids of the classes that the losses ask yes or no for.
    class_names: dict {id: name}, or None.
  """
  if weights is None:
    return []
  low, high = [best(labels, key=lambda label: weights[label])
               for best in (min, max)]
  names = class_names or {}
  return ['Weights of a yes: from %g (%s) to %g (%s).' % (
      weights[low], names.get(low, low), weights[high], names.get(high, high))]


def _balanced(dataset, counts):
  yes = np.asarray(counts, np.float64)
  known = np.full(yes.shape, float(dataset.num_samples))
  for task in getattr(dataset, 'tasks', None) or ():
    own = [label for label, name in dataset.labels_to_names.items()
           if name.startswith(task + ':')]
    unknown = [label for label in own
               if dataset.labels_to_names[label] == task + ':?']
    known[own] -= yes[unknown].sum()
  return np.where(yes > 0, (known - yes) / np.maximum(yes, 1), 1).astype(
      np.float32)
