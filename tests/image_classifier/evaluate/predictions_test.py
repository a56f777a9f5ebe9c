"""Files of predictions."""
import csv
import io
import json

import numpy as np
import pytest

from image_classifier.evaluate import predictions

_CLASSES = [(1, 'cat'), (2, 'dog, large'), (3, 'fish')]
_PROBABILITIES = np.array([[0.2, 0.7, 0.1], [0.4, 0.2, 0.4]])


def _written(path, labels, top_k=2, multi_label=False):
  output = io.StringIO(newline='')
  writer = predictions.Writer(output, path, _CLASSES, top_k, multi_label)
  writer.add([b'a.jpg', b'\xc3\xa9.jpg'], labels, _PROBABILITIES)
  return output.getvalue()


def test_csv():
  text = _written('p.csv', [1, 0])
  assert list(csv.reader(io.StringIO(text))) == [
      ['file', 'label', 'label_name', 'predicted_1', 'name_1', 'probability_1',
       'predicted_2', 'name_2', 'probability_2'],
      ['a.jpg', '2', 'dog, large', '2', 'dog, large', '0.7', '1', 'cat', '0.2'],
      ['\xe9.jpg', '1', 'cat', '1', 'cat', '0.4', '3', 'fish', '0.4']]


def test_json_lines():
  first, second = map(json.loads, _written('p.jsonl', [1, 0]).splitlines())
  assert first == {
      'file': 'a.jpg', 'label': 2, 'label_name': 'dog, large', 'top': [
          {'class': 2, 'name': 'dog, large', 'probability': 0.7},
          {'class': 1, 'name': 'cat', 'probability': 0.2}]}
  assert second['file'] == '\xe9.jpg'


def test_no_more_classes_than_the_network_has():
  row = json.loads(_written('p.jsonl', [1, 0], top_k=5).splitlines()[0])
  assert [top['class'] for top in row['top']] == [2, 1, 3]


def test_several_labels():
  labels = np.array([[1, 0, 1], [0, 0, 0]], np.float32)
  rows = list(csv.reader(io.StringIO(
      _written('p.csv', labels, multi_label=True))))
  assert rows[1][:3] == ['a.jpg', '1;3', 'cat;fish']
  assert rows[2][:3] == ['\xe9.jpg', '', '']
  row = json.loads(_written('p.jsonl', labels, multi_label=True).split('\n')[0])
  assert (row['label'], row['label_name']) == ([1, 3], ['cat', 'fish'])


def test_the_ending_selects_the_format():
  predictions.check_name('a/b.csv')
  predictions.check_name('b.jsonl')
  with pytest.raises(ValueError, match='--predictions_file=b.json must end in '
                     '.csv or .jsonl'):
    predictions.check_name('b.json')
