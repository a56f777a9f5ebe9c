"""The programs mobilenet_v1_train.py and mobilenet_v1_eval.py."""
import dataclasses
import json

import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_info
from datasets import dataset_utils
from image_classifier.evaluate import evaluation
from image_classifier.train import learning_rate
from image_classifier.train import loop
from nets import mobilenet_v1_eval
from nets import mobilenet_v1_train
from nets import nets_factory
from slim_common import flags
from slim_common import help_page
from tests.datasets.imagenet_tools import imagenet_files

pytestmark = pytest.mark.slow

_TRAIN = mobilenet_v1_train.MobilenetV1Train
_EVAL = mobilenet_v1_eval.MobilenetV1Eval
# Flag, default in training, default in evaluation; '-' where there is none.
_PUBLISHED = (
    ('master', '', ''), ('task', 0, '-'), ('ps_tasks', 0, '-'),
    ('batch_size', 64, 250), ('num_classes', 1001, 1001),
    ('num_examples', '-', 50000), ('number_of_steps', None, '-'),
    ('image_size', 224, 224), ('depth_multiplier', 1.0, 1.0),
    ('quantize', False, False), ('fine_tune_checkpoint', '', '-'),
    ('checkpoint_dir', '', ''), ('eval_dir', '-', ''), ('dataset_dir', '', ''),
    ('log_every_n_steps', 100, '-'), ('save_summaries_secs', 100, '-'),
    ('save_interval_secs', 100, '-'))


@pytest.fixture(scope='module')
def imagenet(tmp_path_factory):
  """The directory of an ImageNet of 4 classes, 2 and 3 images."""
  directory = tmp_path_factory.mktemp('imagenet')
  splits = {}
  for split, count in (('train', 2), ('validation', 3)):
    name = split + '-00000-of-00001'
    with tf.python_io.TFRecordWriter(str(directory / name)) as writer:
      for k in range(count):
        writer.write(dataset_utils.image_to_tfexample(
            imagenet_files.jpeg(k), b'jpeg', 12, 16, k + 1).SerializeToString())
    splits[split] = {
        'num_examples': count, 'files': [name], 'examples_per_file': [count],
        'examples_per_class': [0] + [1] * count + [0] * (3 - count)}
  (directory / 'dataset_info.json').write_text(dataset_info.info_text(
      'imagenet', ['background', 'a', 'b', 'c'], None, splits))
  return str(directory)


def _config(config_class, directory, **values):
  return dataclasses.replace(config_class(), **dict({
      'dataset_dir': directory, 'checkpoint_dir': 'T', 'num_classes': 4},
                                                     **values))


@pytest.mark.parametrize('k, config_class', [(1, _TRAIN), (2, _EVAL)])
def test_flags_as_published(k, config_class):
  ours = {field.name: field.default
          for field, _ in help_page.leaves(config_class)}
  assert ours == {row[0]: row[k] for row in _PUBLISHED if row[k] != '-'}


def test_options_of_a_training(imagenet):
  options = mobilenet_v1_train.training(_config(
      _TRAIN, imagenet, batch_size=32, number_of_steps=7, master='grpc://h:1',
      task=2, ps_tasks=1))
  values = flags.as_dict(options)
  expected = {
      'model_name': 'mobilenet_v1', 'preprocessing_name': 'mobilenet_v1',
      'dataset_name': 'imagenet', 'dataset_split_name': 'train',
      'optimizer': 'sgd', 'learning_rate': 0.045, 'train_dir': 'T',
      'learning_rate_decay_type': 'exponential', 'labels_offset': 0,
      'learning_rate_decay_factor': 0.94, 'max_number_of_steps': 7,
      'train_image_size': 224, 'quantize_delay': -1, 'checkpoint_path': None,
      'master': 'grpc://h:1', 'task': 2, 'num_ps_tasks': 1,
      'worker_replicas': 3, 'log_every_n_steps': 100, 'batch_size': 32}
  assert {name: values[name] for name in expected} == expected


@pytest.mark.parametrize('batch_size', [1, 7, 32, 64, 96])
def test_the_schedule_is_the_published_one_for_any_dataset(
    imagenet, batch_size):
  options = mobilenet_v1_train.training(
      _config(_TRAIN, imagenet, batch_size=batch_size))
  # The training split has 2 images.
  assert learning_rate.decay_steps(options.schedule, 2 / batch_size) == int(
      1271167 / batch_size * 2.5)


@pytest.mark.parametrize('values, expected', [
    ({'quantize': True}, {'quantize_delay': 250000, 'learning_rate': 0.045}),
    ({'fine_tune_checkpoint': 'c'}, {
        'learning_rate': 1e-4, 'checkpoint_path': 'c',
        'ignore_missing_vars': True, 'quantize_delay': -1}),
    ({'fine_tune_checkpoint': 'c', 'quantize': True}, {'quantize_delay': 0}),
    ({'num_classes': 3}, {'labels_offset': 1}),
    ({'depth_multiplier': 0.5}, {'model_name': 'mobilenet_v1_050'}),
])
def test_what_flags_change(imagenet, values, expected):
  ours = flags.as_dict(mobilenet_v1_train.training(
      _config(_TRAIN, imagenet, **values)))
  assert {name: ours[name] for name in expected} == expected


def test_a_width_without_a_published_name():
  name = mobilenet_v1_train.network_name(0.125)
  try:
    network = nets_factory.get_network_fn(name, 4)
    assert network.default_image_size == 224
    network(tf.zeros([1, 32, 32, 3]))
    first, = tf.get_collection(
        'variables', 'MobilenetV1/Conv2d_0/weights')
    assert first.shape.as_list() == [3, 3, 3, 8]
  finally:
    del nets_factory.networks_map[name], nets_factory.arg_scopes_map[name]


@pytest.mark.parametrize('number', [2, 5])
def test_a_number_of_classes_that_does_not_fit(imagenet, number):
  with pytest.raises(ValueError) as error:
    mobilenet_v1_train.training(_config(_TRAIN, imagenet, num_classes=number))
  assert str(error.value) == (
      '--num_classes=%d: the dataset has 4 classes; give --num_classes=4, or '
      'one less for a network without its first class' % number)


@pytest.mark.parametrize('values, batches', [
    ({'num_examples': 2, 'batch_size': 2}, 1), ({'num_examples': 3}, None)])
def test_number_of_examples(imagenet, values, batches):
  ours = mobilenet_v1_eval.evaluation(_config(_EVAL, imagenet, **values))
  assert ours.evaluation.max_num_batches == batches
  assert ours.data.dataset_split_name == 'validation'


def test_train_and_evaluate(imagenet, tmp_path):
  values = {'checkpoint_dir': str(tmp_path), 'depth_multiplier': 0.25,
            'image_size': 32, 'batch_size': 2,
            'quantize': tf.__version__.startswith('1.')}
  loop.train(mobilenet_v1_train.training(_config(
      _TRAIN, imagenet, number_of_steps=1, **values)))
  record = json.loads((tmp_path / 'run.json').read_text())
  assert record['flags']['model_name'] == 'mobilenet_v1_025'
  results = evaluation.evaluate(mobilenet_v1_eval.evaluation(_config(
      _EVAL, imagenet, **values)), quiet=True)
  assert {'Accuracy', 'Recall_5'} <= set(results)
