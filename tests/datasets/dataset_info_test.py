"""Tests of the files that describe a converted dataset."""
import json

import pytest

from datasets import dataset_info

_SPLITS = {'train': {'num_examples': 3, 'files': ['a', 'b'],
                     'examples_per_file': [2, 1],
                     'examples_per_class': [1, 2]}}


def test_info_reads_as_written():
  image = {'height': 2, 'width': 3, 'channels': 1}
  text = dataset_info.info_text('pets', ['cat', 'dög'], image, _SPLITS)
  assert dataset_info.parse_info(text, 'p') == {
      'format_version': 1, 'name': 'pets', 'num_classes': 2,
      'class_names': ['cat', 'dög'], 'image': image, 'splits': _SPLITS,
      'multi_label': False, 'side_files': [],
      'max_pixels': dataset_info.MAX_PIXELS, 'origin': None, 'tasks': {}}
  for key in ('multi_label', 'side_files', 'max_pixels', 'origin', 'tasks'):
    assert key not in text
  info = dataset_info.parse_info(dataset_info.info_text(
      'pets', ['cat', 'dög'], None, _SPLITS, ['notes.txt'], True, 7), 'p')
  assert info['multi_label'] and info['side_files'] == ['notes.txt']
  assert info['max_pixels'] == 7


@pytest.mark.parametrize('change', [
    {'multi_label': 1}, {'max_pixels': 0}, {'max_pixels': 1.5},
    {'max_pixels': True}, {'origin': []}, {'origin': {'sources': []}},
    {'side_files': [1]}, {'splits': []},
    {'class_names': [1, 2]}, {'splits': {'train': dict(
        _SPLITS['train'], files=['a', None])}}, {'splits': {'train': dict(
            _SPLITS['train'], examples_per_file=[2, 2])}},
    {'splits': {'train': dict(_SPLITS['train'], examples_per_class=[3])}}])
def test_info_that_contradicts_itself(change):
  info = json.loads(dataset_info.info_text('x', ['a', 'b'], None, _SPLITS))
  info.update(change)
  with pytest.raises(ValueError, match='p c.*again with --overwrite'):
    dataset_info.parse_info(json.dumps(info), 'p')


@pytest.mark.parametrize('text', [
    '', '{', '[]', '3', 'null', '{}', '{"format_version": 1}',
    '{"format_version": 1, "name": "x", "image": null, "num_classes": 2, '
    '"class_names": ["a"], "splits": {}}',
    '{"format_version": 1, "name": "x", "image": null, "num_classes": 1, '
    '"class_names": ["a"], "splits": {"train": {"files": []}}}'])
def test_damaged_info_names_the_file_and_the_cure(text):
  with pytest.raises(ValueError, match='D/info.json.*again with --overwrite'):
    dataset_info.parse_info(text, 'D/info.json')


def test_later_format_is_refused():
  info = json.loads(dataset_info.info_text('x', ['a'], None, _SPLITS))
  info['format_version'] = 2
  with pytest.raises(ValueError, match='p has format version 2, .* version 1'):
    dataset_info.parse_info(json.dumps(info), 'p')


def test_labels_read_as_written():
  names = {0: 'a', 1: 'b: c', 2: 'ü\u2028x', 10: ' y'}
  text = dataset_info.labels_text(names)
  assert text.startswith('0:a\n1:b: c\n')
  assert dataset_info.parse_labels(text, 'p') == names


def test_labels_with_blank_lines_and_other_line_ends():
  assert dataset_info.parse_labels('0:a\r\n\r\n1:b', 'p') == {0: 'a', 1: 'b'}


@pytest.mark.parametrize('line', ['cat', ':cat', 'x:cat', '-1:cat'])
def test_malformed_label_line_is_named(line):
  with pytest.raises(ValueError, match='labels.txt, line 2 is .*0:cat'):
    dataset_info.parse_labels('0:a\n%s\n' % line, 'D/labels.txt')
