"""Lists of images with labels of several tasks."""
import json

import pytest

from datasets import dataset_factory
from tests.datasets import records
from tests.datasets.conversion import image_folders

_LABELS = [
    {'digit': '7', 'odd': ['yes']}, {'digit': 8, 'odd': []}, {'odd': ['yes']},
    {'digit': '7', 'odd': None}, {'digit': '7', 'odd': ['yes', 'big']}]
_CLASSES = ['digit:7', 'digit:8', 'digit:?', 'odd:?', 'odd:big', 'odd:yes']


def _run(tmp_path, labels=_LABELS, splits=None, **options):
  image_folders.write_class(tmp_path / 'pool', len(labels))
  rows = [dict(path='pool/bild %d ü.jpg' % number, labels=label)
          for number, label in enumerate(labels)]
  for row, split in zip(rows, splits or ()):
    row['split'] = split
  (tmp_path / 'list.jsonl').write_text(
      ''.join(json.dumps(row) + '\n' for row in rows), encoding='utf-8')
  image_folders.run(tmp_path, 'list.jsonl', **options)


def test_tasks_become_classes(tmp_path):
  _run(tmp_path, num_validation=0)
  info = image_folders.info(tmp_path)
  assert info['class_names'] == _CLASSES
  assert info['tasks'] == {'digit': False, 'odd': True}
  found = {
      name[len('pool/bild ')]: [_CLASSES[label] for label in records.values(
          example, 'image/class/label')]
      for name, example in image_folders.examples(tmp_path, 'train').items()}
  assert found == {
      '0': ['digit:7', 'odd:yes'], '1': ['digit:8'],
      '2': ['digit:?', 'odd:yes'], '3': ['digit:7', 'odd:?'],
      '4': ['digit:7', 'odd:big', 'odd:yes']}
  dataset = dataset_factory.get_dataset(
      'image_folder', 'train', str(tmp_path / 'out'))
  assert (dataset.multi_label, dataset.tasks) == (True, info['tasks'])


def test_a_label_may_be_missing_where_none_is_trained_on(tmp_path):
  _run(tmp_path, [{'a': 'x', 'b': 'y'}, {'a': 'x'}], ['train', 'validation'])
  assert image_folders.info(tmp_path)['class_names'] == ['a:x', 'b:?', 'b:y']


@pytest.mark.parametrize('labels, message', [
    ([{'digit': '7'}, 'cat'], 'line 2 has labels of tasks and other lines have '
     'not, or the other way round: write {"TASK": "CLASS", ...} in each'),
    ([{'digit': '7'}, {}], 'line 2 has no label of any task'),
    ([{'digit': '7'}, {'digit': None}], 'line 2 has no label of any task'),
    ([{'digit': '?'}], "line 1: the label of digit is '?'; the name of a class "
     'is needed: leave the task out where it is not known'),
    ([{'digit': ['7', '']}], "line 1: the label of digit is ['7', '']"),
    ([{'logits': '7'}], "line 1: 'logits' cannot be the name of a task, which "
     "is one of the network's outputs: letters, digits, _, . and -, and none "
     'of input, logits, predictions, image_bytes, embedding'),
    ([{'is odd': '7'}], "line 1: 'is odd' cannot be the name of a task"),
    ([{'digit': {'x': 1}}], "line 1: the label is {'x': 1}; the name of a cla")])
def test_wrong_labels(tmp_path, labels, message):
  with pytest.raises(ValueError) as error:
    _run(tmp_path, labels)
  assert message in str(error.value)
