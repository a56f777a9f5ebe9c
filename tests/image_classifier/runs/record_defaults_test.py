"""Flags that a record of the training answers."""
import csv
import dataclasses
import json
import os

import pytest

from image_classifier import options
from image_classifier.runs import record_defaults
from nets import nets_factory
from slim_common import flags
from slim_common import help_page

_FLAGS = {
    'model_name': 'lenet', 'preprocessing_name': 'cifarnet',
    'use_grayscale': True, 'moving_average_decay': 0.9,
    'dataset_name': 'mnist', 'dataset_dir': 'data', 'labels_offset': 'auto'}
_OLD = {'format_version': 1, 'image_shape': [32, 32, 1], 'flags': _FLAGS}
_NEW = dict(_OLD, format_version=2, labels_offset=1)


def _apply(directory, record, words=(), program=options.Classify):
  """Returns (values of the flags, lines) for flags given by hand."""
  directory = str(directory)
  if record is not None:
    with open(os.path.join(directory, 'run.json'), 'w') as file:
      json.dump(record, file)
  images = ['a.png'] * (program is options.Classify)
  given = flags.parse(list(words) + images, program)[0]
  completed, lines = record_defaults.apply(
      given, os.path.join(directory, 'model.ckpt-1'))
  return flags.as_dict(completed), lines


@pytest.mark.parametrize('program, size', [
    (options.Evaluate, 'eval_image_size'), (options.Export, 'image_size'),
    (options.Classify, 'image_size')])
@pytest.mark.parametrize('record, offset', [(_OLD, 'auto'), (_NEW, 1)])
def test_a_record_of_any_version_completes_the_flags(
    tmp_path, program, size, record, offset):
  values, lines = _apply(tmp_path, record, program=program)
  for name, value in dict(_FLAGS, labels_offset=offset).items():
    if name != 'dataset_dir':
      assert values[name] == value, name
  assert values[size] == 32
  line, = lines
  assert line.startswith('From run.json: --model_name=lenet '
                         '--preprocessing_name=cifarnet --use_grayscale ')


def test_relative_data_are_found_from_where_the_run_was_started(
    tmp_path, monkeypatch):
  started, here = tmp_path / 'started', tmp_path / 'here'
  (started / 'data').mkdir(parents=True)
  here.mkdir()
  monkeypatch.chdir(str(here))
  record = dict(_NEW, working_directory=str(started))
  assert _apply(tmp_path, record)[0]['dataset_dir'] == str(started / 'data')
  (here / 'data').mkdir()
  assert _apply(tmp_path, record)[0]['dataset_dir'] == 'data'


def test_the_data_are_taken_where_they_are(tmp_path):
  record = dict(_NEW, flags=dict(_FLAGS, dataset_dir=str(tmp_path)))
  for words, expected in (
      ([], str(tmp_path)), (['--dataset_name=flowers'], ''),
      (['--dataset_dir=other'], 'other')):
    assert _apply(tmp_path, record, words)[0]['dataset_dir'] == expected
  assert _apply(tmp_path, _NEW)[0]['dataset_dir'] == ''


@pytest.mark.parametrize('word, text', [
    ('--preprocessing_name=lenet',
     'the preprocessing of cifarnet: --preprocessing_name=cifarnet, not '
     '--preprocessing_name=lenet,'),
    # Defaults count too where they are typed.
    ('--nouse_grayscale',
     'grayscale images: --use_grayscale, not --nouse_grayscale,'),
    ('--image_size=28',
     'images of 32 x 32 pixels: --image_size=32, not --image_size=28,'),
    ('--labels_offset=0',
     'a labels offset of 1: --labels_offset=1, not --labels_offset=0,'),
    ('--moving_average_decay=0',
     'moving averages: --moving_average_decay=0.9, not '
     '--moving_average_decay=0.0,')])
def test_flags_given_by_hand_win(tmp_path, word, text):
  values, lines = _apply(tmp_path, _NEW, [word])
  config = flags.parse([word, 'a.png'], options.Classify)[0]
  name = word.split('=')[0].replace('--no', '--')[2:]
  # 0 turns averages off.
  assert values[name] == (getattr(config, name) if 'decay' not in name
                          else None)
  assert lines[1:] == ['The training used %s is the same here.' % text]


@pytest.mark.parametrize('word', [
    '--moving_average_decay=0.5', '--preprocessing_name=cifarnet',
    '--labels_offset=auto', '--image_size=32'])
def test_the_same_in_other_words_is_no_difference(tmp_path, word):
  assert len(_apply(tmp_path, _NEW, [word])[1]) == 1


def test_without_a_record_any_decay_selects_the_averages(tmp_path):
  values, lines = _apply(tmp_path, None, ['--moving_average_decay=0'])
  assert (values['moving_average_decay'], lines) == (0, [])


@pytest.mark.parametrize('program', [
    options.Evaluate, options.Export, options.Classify])
def test_the_help_names_the_record(program):
  texts = {field.name.replace('eval_image', 'image'): field.metadata['help']
           for field, _ in help_page.leaves(program)}
  for name in ('model_name', 'preprocessing_name', 'image_size',
               'labels_offset', 'moving_average_decay'):
    assert 'run.json' in texts[name], name


def test_another_network(tmp_path):
  values, lines = _apply(tmp_path, _NEW, ['--model_name=inception_v3'])
  assert (values['model_name'], values['image_size']) == ('inception_v3', None)
  assert lines == ['The checkpoint was trained with --model_name=lenet.']


def test_options_of_a_library_call(tmp_path):
  (tmp_path / 'run.json').write_text(json.dumps(_NEW))
  asked = dataclasses.replace(options.Export(), labels_offset=2)
  completed, lines = record_defaults.apply(asked, str(tmp_path / 'a'))
  assert (completed.labels_offset, completed.use_grayscale) == (2, True)
  assert len(lines) == 2
  assert record_defaults.apply(asked, None) == (asked, [])


@pytest.mark.parametrize('name, changes', [
    ('resnet_v2_50', dict(image_size=299, preprocessing_name='inception')),
    ('vgg_16', dict(labels_offset='auto')),
    ('resnet_v1_101', dict(labels_offset='auto')),
    ('nasnet_mobile', {}), ('nasnet_large', {}), ('lenet', {})])
def test_published_checkpoints(tmp_path, name, changes):
  asked = dataclasses.replace(options.Classify(), model_name=name)
  completed, lines = record_defaults.apply(asked, str(tmp_path / 'a'))
  assert completed == dataclasses.replace(asked, **changes)
  assert bool(lines) == bool(changes)
  # Other classes: no published checkpoint.
  asked = dataclasses.replace(asked, dataset_name='flowers')
  assert record_defaults.apply(asked, str(tmp_path / 'a')) == (asked, [])


def test_the_table_of_networks_agrees_with_the_list_of_checkpoints():
  path = os.path.join(os.path.dirname(nets_factory.__file__), 'checkpoints.csv')
  with open(path) as file:
    rows = list(csv.DictReader(file))
  compared = 0
  for row in rows:
    published = nets_factory.published(row['model_name'])
    compared += published is not None
    assert published in (None, (
        int(row['image_size']), row['preprocessing'],
        int(row['labels_offset']))), row['name']
    assert published or row['labels_offset'] == '0', row['name']
  assert compared >= 12


def test_without_the_default_split_another_is_evaluated(tmp_path, monkeypatch):
  def get_dataset(name, split, directory):
    del name, directory
    if split != 'validation':
      raise ValueError(split)

  monkeypatch.setattr(
      record_defaults.dataset_factory, 'get_dataset', get_dataset)
  record = dict(_NEW, flags=dict(_FLAGS, dataset_dir=str(tmp_path)))
  for words, split in (([], 'validation'),
                       (['--dataset_split_name=test'], 'test')):
    values, _ = _apply(tmp_path, record, words, options.Evaluate)
    assert values['dataset_split_name'] == split
