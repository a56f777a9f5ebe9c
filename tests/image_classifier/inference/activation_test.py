"""Softmax or sigmoid."""
import collections
import json

import pytest

from image_classifier.inference import activation

_Dataset = collections.namedtuple('_Dataset', 'multi_label')


@pytest.mark.parametrize('option, record, multi_label, expected', [
    (None, None, False, 'softmax'),
    (None, None, True, 'sigmoid'),
    # The run knows better than the dataset that happens to be named.
    (None, {'flags': {'loss': 'sigmoid'}}, False, 'sigmoid'),
    (None, {'flags': {'loss': None}, 'multi_label': True}, False, 'sigmoid'),
    (None, {'flags': {'loss': 'focal'}, 'multi_label': True}, False, 'sigmoid'),
    (None, {'flags': {'loss': 'focal'}, 'multi_label': False}, True, 'softmax'),
    (None, {'flags': {}}, True, 'softmax'),
    (None, [], True, 'sigmoid'),
    ('softmax', {'flags': {'loss': 'sigmoid'}}, True, 'softmax'),
    ('sigmoid', {'flags': {'loss': 'softmax'}}, False, 'sigmoid')])
@pytest.mark.parametrize('folder', ['', 'best/'])
def test_what_decides(
    tmp_path, option, record, multi_label, expected, folder):
  if record is not None:
    (tmp_path / 'run.json').write_text(json.dumps(record))
  assert activation.choose(
      option, str(tmp_path / folder / 'model.ckpt-3'),
      _Dataset(multi_label)) == expected


def test_without_a_checkpoint_the_dataset_decides():
  assert activation.choose(None, None, _Dataset(True)) == 'sigmoid'
  assert activation.choose(None, None, object()) == 'softmax'
