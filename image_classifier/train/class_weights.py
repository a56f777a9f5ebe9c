"""The weight of each class in the loss."""
import csv
import json
import os
from typing import Optional

import numpy as np

_INFO_FILE = 'dataset_info.json'


def load(option: Optional[str], dataset_dir, split, class_names,
         labels_offset: int = 0) -> Optional[np.ndarray]:
  """Returns the weights of the classes.

  'auto' weights each class by the inverse of its number of examples, so that
  the mean over all examples is 1 and every class that has examples has the
  same total weight. The weight of a class without examples is 0.

  Args:
    option: "auto"; the path of a CSV file with a line `name,weight` or
      `id,weight` for each class, ids as in labels.txt; or None.
    dataset_dir: the directory of the dataset's dataset_info.json.
    split: the split whose examples are counted for 'auto'.
    class_names: dict {id: name}, or None if the names are not known.
    labels_offset: number of the first ids to leave out.

  Returns:
    A float32 array [num_classes - labels_offset], or None.

  Raises:
    ValueError: the numbers of examples are not known, or the file does not
      name each class once with a weight of at least 0.
  """
  if option is None:
    return None
  if option == 'auto':
    weights = _balanced(examples_per_class(dataset_dir, split)[labels_offset:])
  else:
    weights = _from_file(option, class_names or {}, labels_offset)
  if not np.any(weights):
    raise ValueError('--class_weights=%s: every class has the weight 0.' % (
        option,))
  return weights


def describe(weights, class_names, labels_offset=0):
  """Returns lines about the weights of `load` for the start of a run."""
  if weights is None:
    return []
  names = class_names or {}
  low, high = (int(index) + labels_offset for index in (
      np.argmin(weights), np.argmax(weights)))
  return ['Class weights: from %g (%s) to %g (%s).' % (
      weights.min(), names.get(low, low), weights.max(),
      names.get(high, high))]


def _balanced(counts):
  counts = np.asarray(counts, np.float64)
  seen = counts > 0
  weights = np.zeros(counts.shape, np.float32)
  weights[seen] = counts.sum() / (seen.sum() * counts[seen])
  return weights


def examples_per_class(dataset_dir, split, flag='class_weights'):
  """Returns the list of the numbers of examples of a split.

  Raises:
    ValueError: they are not known; the message names the flag.
  """
  path = os.path.join(dataset_dir or '', _INFO_FILE)
  try:
    with open(path, encoding='utf-8') as source:
      return json.load(source)['splits'][split]['examples_per_class']
  except (OSError, ValueError, KeyError, TypeError):
    raise ValueError(
        '--%s=auto needs the number of examples of each class of the split %s '
        'in %s. Convert the dataset again, or give a CSV file with lines '
        'name,weight.' % (flag, split, path))


def read(path, class_names, flag='class_weights'):
  """Returns {class id: weight} of a CSV file.

  Args:
    path: the file, with lines `name,weight` or `id,weight`.
    class_names: dict {id: name}, maybe empty.
    flag: name of the flag for messages.

  Raises:
    ValueError: the file cannot be read, or a line is wrong.
  """
  try:
    with open(path, newline='', encoding='utf-8') as source:
      rows = [row for row in csv.reader(source) if row]
  except (OSError, UnicodeError, csv.Error) as error:
    raise ValueError('--%s=%s cannot be read: %s' % (flag, path, error))
  ids = {name: number for number, name in class_names.items()}
  weights = {}
  for line, row in enumerate(rows, 1):
    number, weight = _parse(path, line, row, ids)
    if number in weights:
      raise ValueError('%s, line %d: the class %s has a weight already.' % (
          path, line, row[0]))
    weights[number] = weight
  return weights


def _from_file(path, class_names, labels_offset):
  """Reads a CSV file of weights, which has to name every class."""
  weights = read(path, class_names)
  wanted = sorted(class_names) or list(range(max(weights, default=-1) + 1))
  missing = [class_names.get(number, number) for number in wanted
             if number >= labels_offset and number not in weights]
  if missing:
    raise ValueError('%s has no weight for %d classes, such as %s: add a line '
                     'name,weight for each.' % (path, len(missing), missing[0]))
  return np.array([weights[number] for number in wanted
                   if number >= labels_offset], np.float32)


def _parse(path, line, row, ids):
  """Returns (class id, weight) of a row."""
  try:
    name, weight = row[0].strip(), float(row[1])
  except (IndexError, ValueError):
    weight = -1
  if not 0 <= weight < float('inf'):
    raise ValueError('%s, line %d is %r: write name,weight or id,weight with a '
                     'weight of at least 0.' % (
                         path, line, ','.join(row)))
  if name in ids:
    return ids[name], weight
  if name.isdecimal() and (not ids or int(name) in ids.values()):
    return int(name), weight
  raise ValueError('%s, line %d: the dataset has no class %s; it has %s.' % (
      path, line, name, ', '.join(sorted(map(str, ids))[:10]) or 'ids only'))
