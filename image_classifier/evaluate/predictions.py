"""Files of the predictions for every example.

CSV, for spreadsheets, has one row per example: file, label, label_name, then
predicted_1, name_1, probability_1 and so on, the most probable first. JSON
lines hold the same: {"file": ..., "label": 3, "label_name": "three", "top":
[{"class": 3, "name": "three", "probability": 0.98}, ...]}. Several labels of
an example are one field, separated by semicolons; in JSON they are a list.
"""
import csv
import json

import numpy as np


def check_name(path):
  """Raises ValueError unless a file name ends in .csv or .jsonl."""
  if not path.endswith(('.csv', '.jsonl')):
    raise ValueError(
        '--predictions_file=%s must end in .csv or .jsonl, which selects the '
        'format.' % path)


class Writer:
  """Writes predictions, batch by batch.

  Args:
    output: the file, open for text with newline=''.
    path: its final name, whose ending selects the format.
    classes: list of (id, name) of the network's classes.
    top_k: maximum number of classes to write per example.
    multi_label: whether examples have several labels.
  """

  def __init__(self, output, path, classes, top_k, multi_label):
    self._classes = classes
    self._top_k = min(top_k, len(classes))
    self._multi_label = multi_label
    self._output = output
    self._csv = csv.writer(output) if path.endswith('.csv') else None
    if self._csv:
      self._csv.writerow(['file', 'label', 'label_name'] + [
          '%s_%d' % (title, i + 1) for i in range(self._top_k)
          for title in ('predicted', 'name', 'probability')])

  def add(self, names, labels, probabilities):
    """Writes a batch.

    Args:
      names: bytes [batch], names of the examples' files.
      labels: integers [batch], or 0 and 1 [batch, classes].
      probabilities: floats [batch, classes].
    """
    best = np.argsort(-probabilities, axis=1, kind='stable')[:, :self._top_k]
    for name, label, row, order in zip(names, labels, probabilities, best):
      self._write(
          name.decode('utf-8', 'replace'), self._labels(label),
          [self._classes[i] + (float('%.6g' % row[i]),) for i in order])

  def _labels(self, label):
    """Returns the list of (id, name) of an example's labels."""
    indices = np.flatnonzero(label > 0.5) if self._multi_label else [label]
    return [self._classes[i] for i in indices]

  def _write(self, name, labels, top):
    ids, label_names = [i for i, _ in labels], [name for _, name in labels]
    if self._csv:
      self._csv.writerow(
          [name, ';'.join(map(str, ids)), ';'.join(label_names)] +
          [value for row in top for value in row])
      return
    if not self._multi_label:
      ids, label_names = ids[0], label_names[0]
    json.dump({
        'file': name, 'label': ids, 'label_name': label_names,
        'top': [dict(zip(('class', 'name', 'probability'), row))
                for row in top]}, self._output, ensure_ascii=False)
    self._output.write('\n')
