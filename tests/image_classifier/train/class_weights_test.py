"""Weights of classes, from counts and from files."""
import json

import numpy as np
import pytest

from image_classifier.train import class_weights

_NAMES = {0: 'cat', 1: 'dog', 2: 'cow'}


def _dataset(directory, counts):
  info = {'splits': {'train': {'examples_per_class': counts}}}
  (directory / 'dataset_info.json').write_text(json.dumps(info))
  return str(directory)


def _file(directory, text):
  path = directory / 'weights.csv'
  path.write_text(text)
  return str(path)


@pytest.mark.parametrize('counts, offset, weights', [
    ([10, 20, 30], 0, [2, 1, 2 / 3]), ([10, 0, 30], 0, [2, 0, 2 / 3]),
    ([0, 10, 30], 1, [2, 2 / 3])])
def test_auto_gives_classes_the_same_total(tmp_path, counts, offset, weights):
  found = class_weights.load(
      'auto', _dataset(tmp_path, counts), 'train', _NAMES, offset)
  np.testing.assert_allclose(found, weights, rtol=1e-6)
  assert found.dtype == np.float32
  fractions = np.array(counts[offset:]) / sum(counts)
  np.testing.assert_allclose((fractions * found).sum(), 1, rtol=1e-6)


def test_none():
  assert class_weights.load(None, '', 'train', None) is None


@pytest.mark.parametrize('text, names, offset, weights', [
    ('cat,1\ndog,2.5\n\ncow,0\n', _NAMES, 0, [1, 2.5, 0]),
    ('2,3\ndog,2\n0,1\n', _NAMES, 0, [1, 2, 3]),
    ('dog,2\ncow,3\n', _NAMES, 1, [2, 3]),
    ('0,1\n1,2\n', None, 0, [1, 2])])
def test_file(tmp_path, text, names, offset, weights):
  np.testing.assert_allclose(class_weights.load(
      _file(tmp_path, text), '', 'train', names, offset), weights)


@pytest.mark.parametrize('text, message', [
    ('cat,1\ndog,1\n', 'has no weight for 1 classes, such as cow: add'),
    ('cat,1\ncat,2\n', 'line 2: the class cat has a weight already.'),
    ('cat\n', "line 1 is 'cat': write name,weight or id,weight"),
    ('cat,-1\n', "line 1 is 'cat,-1': write name,weight"),
    ('cat,nan\n', "line 1 is 'cat,nan': write name,weight"),
    ('horse,1\n', 'line 1: the dataset has no class horse; it has cat, cow'),
    ('7,1\n', 'line 1: the dataset has no class 7; it has cat, cow, dog'),
    ('cat,0\ndog,0\ncow,0\n', 'every class has the weight 0.')])
def test_files_that_do_not_fit(tmp_path, text, message):
  with pytest.raises(ValueError) as error:
    class_weights.load(_file(tmp_path, text), '', 'train', _NAMES)
  assert message in str(error.value)


@pytest.mark.parametrize('option, message', [
    ('/nowhere/w.csv', '--class_weights=/nowhere/w.csv cannot be read: '),
    ('auto', '--class_weights=auto needs the number of examples of each class '
     'of the split train in ')])
def test_missing_files(tmp_path, option, message):
  with pytest.raises(ValueError) as error:
    class_weights.load(option, str(tmp_path), 'train', _NAMES)
  assert message in str(error.value)


def test_describe():
  assert class_weights.describe(None, _NAMES) == []
  assert class_weights.describe(np.float32([2, .5]), _NAMES, 1) == [
      'Class weights: from 0.5 (cow) to 2 (dog).']
