"""The preset for fine-tuning, and the one command on a directory of images."""
import os

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.options import presets
from image_classifier.own_images import from_images
from image_classifier.train import loop
from nets import nets_factory
from slim_common import flags
from tests.image_classifier import training_runs as runs
import train_image_classifier

_MODEL, _SIZE = 'mobilenet_v1_025', 32


@pytest.fixture(name='images', scope='module')
def _images(tmp_path_factory):
  """A directory of 2 classes of 10 images: dark and light."""
  directory = tmp_path_factory.mktemp('own') / 'images'
  random = np.random.RandomState(0)
  for name, low in ('dark', 0), ('light', 150):
    (directory / name).mkdir(parents=True)
    for number in range(10):
      Image.fromarray(random.randint(low, low + 100, [40, 40, 3]).astype(
          np.uint8)).save(str(directory / name / ('%d.png' % number)))
  return directory


@pytest.fixture(name='checkpoint', scope='module')
def _checkpoint(tmp_path_factory):
  """A checkpoint of a network of 1001 classes as it is initialized."""
  path = str(tmp_path_factory.mktemp('pretrained') / 'model.ckpt')
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(1)
    nets_factory.get_network_fn(_MODEL, 1001)(
        tf.zeros([1, _SIZE, _SIZE, 3]))
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, path, write_meta_graph=False)
  return path


def _parse(*words):
  config, warnings = flags.parse(words, options.Train)
  assert not warnings
  return config


@pytest.mark.slow
def test_one_command(images, checkpoint, tmp_path, capsys):
  train_dir = tmp_path / 'run'
  config = _parse(
      '--preset=finetune', '--source=%s' % images, '--train_dir=%s' % train_dir,
      '--checkpoint_path=' + checkpoint, '--model_name=' + _MODEL,
      '--train_image_size=%d' % _SIZE, '--batch_size=9', '--num_epochs=3',
      '--eval_every_epochs=3', '--seed=1')
  assert train_image_classifier.main(config) == 0
  out = capsys.readouterr().out
  assert 'Preset finetune: --optimizer=momentum --learning_rate=0.003' in out
  assert 'Until step 1 only the last layers are trained.' in out
  assert 'Counted 2 examples at step 6.' in out
  assert out.endswith('Classify images with:\n  python classify_image.py '
                      '--graph=%s-export IMAGE...\n' % train_dir)
  assert sorted(os.listdir(str(tmp_path))) == ['run', 'run-data', 'run-export']
  assert (tmp_path / 'run-export' / 'labels.txt').read_text() == (
      '0:dark\n1:light\n')
  assert (tmp_path / 'run-export' / 'saved_model').is_dir()


@pytest.mark.parametrize('words, message', [
    (['--preset=finetune', '--dataset_name=mnist'],
     '--source converts images as --dataset_name=image_folder, not mnist'),
    (['--preset=finetune', '--worker_hosts=a:1'],
     '--source is for one process, without --worker_hosts: convert'),
    ([], 'this one has none: give --preset=finetune, --num_epochs or')])
def test_what_does_not_go_with_a_source(words, message, images, tmp_path):
  config = _parse('--source=%s' % images, '--train_dir=%s' % (tmp_path / 'x'),
                  *words)
  with pytest.raises(ValueError, match=message):
    from_images.run(config)
  assert not list(tmp_path.iterdir())


def test_what_is_typed_overrides_the_preset():
  values = presets.PRESETS['finetune']
  config = _parse('--preset=finetune', '--dataset_dir=x')
  assert {name: flags.as_dict(config)[name] for name in values} == values
  config = _parse('--preset=finetune', '--dataset_dir=x', '--optimizer=rmsprop',
                  '--rmsprop_decay=0.8', '--num_epochs=3')
  assert config.optimizer.optimizer == 'rmsprop'
  line, = presets.describe(config)
  assert line.startswith('Preset finetune: --learning_rate=0.003 '
                         '--learning_rate_decay_type=cosine')
  assert 'optimizer' not in line and 'num_epochs=' not in line
  assert presets.describe(_parse('--dataset_dir=x')) == []


def test_the_same_in_another_unit_overrides_it_too():
  config = _parse('--preset=finetune', '--dataset_dir=x',
                  '--max_number_of_steps=7', '--eval_every=2',
                  '--head_epochs=3', '--checkpoint_path=x')
  assert (config.loop.num_epochs, config.loop.eval_every_epochs) == (None, 0)
  assert config.warm_start.max_head_fraction == 1


def test_rules_know_the_values_of_the_preset():
  _, warnings = flags.parse(
      ['--preset=finetune', '--dataset_dir=x', '--rmsprop_decay=0.8',
       '--momentum=0.8', '--best_metric=Loss'], options.Train)
  assert warnings == [
      '--rmsprop_decay has no effect with --optimizer=momentum; it works with '
      '--optimizer=rmsprop']


def test_a_new_head_of_zeros(digits, tmp_path):
  given = _train_lenet(digits, tmp_path / 'given', 1)
  assert runs.saved(tmp_path / 'given', 0)['LeNet/fc4/weights'].any()
  loop.train(runs.train(
      digits, tmp_path / 'run', steps=1, warm_start=dict(
          checkpoint_path=str(tmp_path / 'given'), new_head='zeros',
          checkpoint_exclude_scopes=('LeNet/fc4',))))
  start = runs.saved(tmp_path / 'run', 0)
  assert not start['LeNet/fc4/weights'].any()
  np.testing.assert_array_equal(
      start['LeNet/fc3/weights'], given['LeNet/fc3/weights'])


def _train_lenet(digits, directory, steps, **warm_start):
  loop.train(runs.train(
      digits, directory, steps=steps, warm_start=warm_start,
      optimizer=dict(optimizer='momentum'), data=dict(batch_size=8, seed=1)))
  return runs.saved(directory, steps)


@pytest.mark.slow
def test_the_head_first(digits, tmp_path):
  given = _train_lenet(digits, tmp_path / 'given', 1)
  start = dict(checkpoint_path=str(tmp_path / 'given'), head_epochs=2 / 500)
  head = _train_lenet(digits, tmp_path / 'head', 2, **start)
  changed = {name for name in head if 'Momentum' not in name
             and (head[name] != given[name]).any()} - {'global_step'}
  assert changed == {'LeNet/fc4/weights', 'LeNet/fc4/biases'}
  both = _train_lenet(digits, tmp_path / 'both', 3, **start)
  assert all((both[name] != given[name]).any() for name in both)


def test_a_head_must_be_trained(digits, tmp_path):
  given = _train_lenet(digits, tmp_path / 'given', 1)
  del given
  with pytest.raises(ValueError, match='--head_epochs: no trained variable'):
    _train_lenet(
        digits, tmp_path / 'none', 2, head_epochs=1,
        checkpoint_path=str(tmp_path / 'given'),
        trainable_scopes=('LeNet/conv1',))
