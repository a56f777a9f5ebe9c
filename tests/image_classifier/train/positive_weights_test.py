"""The weight of a yes: from counts, a number or a file."""
import collections
import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.losses import classification
from image_classifier.train import positive_weights
from tests.image_classifier import evaluations
from tests.image_classifier import training_runs as runs

_Dataset = collections.namedtuple(
    '_Dataset', 'num_samples num_classes tasks labels_to_names')
_NAMES = ['digit:7', 'digit:?', 'is:?', 'is:big', 'is:odd']
_DATASET = _Dataset(100, 5, {'digit': False, 'is': True},
                    dict(enumerate(_NAMES)))
_PLAIN = _Dataset(100, 3, {}, {0: 'a', 1: 'b', 2: 'c'})


def _load(option, directory, dataset=_PLAIN):
  return positive_weights.load(option, dataset, str(directory), 'train')


@pytest.mark.parametrize('dataset, counts, expected', [
    (_PLAIN, [50, 10, 0], [1, 9, 1]),
    # 20 have no label of is: of 80, 16 are big and 40 odd.
    (_DATASET, [90, 10, 20, 16, 40], [0, 8, 3, 4, 1])])
def test_as_many_as_there_are_noes_for_each_yes(
    dataset, counts, expected, tmp_path):
  (tmp_path / 'dataset_info.json').write_text(json.dumps({
      'splits': {'train': {'examples_per_class': counts}}}))
  np.testing.assert_allclose(_load('auto', tmp_path, dataset), expected)


def test_a_number_or_a_file(tmp_path):
  (tmp_path / 'weights.csv').write_text('b,2.5\n2,4\n')
  np.testing.assert_array_equal(
      _load(str(tmp_path / 'weights.csv'), tmp_path), [1, 2.5, 4])
  np.testing.assert_array_equal(_load('3', tmp_path), [3, 3, 3])
  assert _load(None, tmp_path) is None


@pytest.mark.parametrize('option, message', [
    ('auto', '--positive_weights=auto needs the number of examples of each '
     'class of the split train in'),
    ('0', '--positive_weights=0 must be above 0; more than 1 makes a missed yes'
     ' cost more.'), ('inf', '--positive_weights=inf must be above 0'),
    ('none.csv', '--positive_weights=none.csv cannot be read: '),
    ('DIR/bad.csv', 'bad.csv, line 1: the dataset has no class x; it has a, b, '
     'c.')])
def test_wrong_weights(option, message, tmp_path):
  (tmp_path / 'bad.csv').write_text('x,1\n')
  with pytest.raises(ValueError) as error:
    _load(option.replace('DIR', str(tmp_path)), tmp_path)
  assert message in str(error.value)


def test_the_line_about_them():
  assert positive_weights.describe(
      np.float32([9, 1, 2, 4]), [1, 2, 3], {1: 'b', 3: 'd'}) == [
          'Weights of a yes: from 1 (b) to 4 (d).']
  assert positive_weights.describe(None, [], {}) == []


def test_the_loss_against_numpy():
  random = np.random.RandomState(0)
  logits, targets = random.randn(2, 6, 3).astype(np.float32)
  targets, weights = np.float32(targets > 0), np.float32([1, 2.5, 4])
  classification.add(tf.constant(logits), tf.constant(targets), {}, (
      classification.Recipe('sigmoid', multi_label=True,
                            positive_weights=weights)))
  p = 1 / (1 + np.exp(-np.float64(logits)))
  expected = -(weights * targets * np.log(p) +
               (1 - targets) * np.log(1 - p)).mean()
  with tf.Session() as session:
    np.testing.assert_allclose(
        session.run(tf.losses.get_losses()), [expected], rtol=1e-5)


def test_a_training(digits, tmp_path):
  evaluations.rewrite_digits(
      digits, tmp_path / 'data', ['odd', 'big'], lambda digit: [
          label for label, has in enumerate((digit % 2, digit > 5)) if has],
      20, multi_label=True)
  config = dict(data=dict(dataset_split_name='test'))
  graph = runs.build(runs.train(str(tmp_path / 'data'), 'unused', model=dict(
      positive_weights='3'), **config))
  assert 'Weights of a yes: from 3 (odd) to 3 (odd).' in graph.notes
  for loss in ('softmax', 'focal'):
    with pytest.raises(ValueError) as error:
      runs.resolve(runs.train(
          digits, 'unused', model=dict(positive_weights='3', loss=loss)))
    assert str(error.value) == (
        '--positive_weights=3 is for losses that ask yes or no for each class: '
        'use it with --loss=sigmoid.')
  for name, value in (('task_weighting', 'uncertainty'),
                      ('task_schedule', 'alternating')):
    with pytest.raises(ValueError) as error:
      runs.resolve(runs.train(digits, 'unused', model={name: value}))
    assert str(error.value) == (
        '--%s=%s has no effect here, as images of mnist have labels of one '
        'task: leave it out.' % (name, value))
