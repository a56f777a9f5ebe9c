"""Runs each recipe of scripts/ from archives to evaluations, on little data.

The archives have the forms that are published, the checkpoints are random.
TEST_SCRIPTS=all (`make test-scripts`) runs the large networks too.
"""
import io
import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from nets import nets_factory
from tests.datasets.conversion import raw_files

_SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / 'scripts'
_FLOWERS = ('daisy', 'dandelion', 'roses', 'sunflowers', 'tulips')
_NUM_FLOWERS = 352  # 350 of them to validate with.
# Network, scope of its head, image size; small ones, to be quick.
_FINETUNED = [('resnet_v1_50', 'resnet_v1_50/logits/', 32)]
if os.environ.get('TEST_SCRIPTS') == 'all':
  _FINETUNED += [('inception_v1', 'InceptionV1/Logits/', 193),
                 ('inception_v3', 'InceptionV3/Logits/', 107),
                 ('inception_resnet_v2', 'InceptionResnetV2/Logits/', 107)]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.name != 'posix', reason='the recipes are shell scripts')]


def _start(directory, script, *words, **variables):
  """Starts a recipe in a directory outside the project."""
  variables = dict(
      {'PYTHON': sys.executable, 'DATA_DIR': str(directory / 'data'),
       'TRAIN_DIR': str(directory / 'model'), 'STEPS': '1', 'BATCH_SIZE': '2',
       'TRAIN_FLAGS': '--log_every_n_steps=1'}, **variables)
  return subprocess.Popen(
      [str(_SCRIPTS / script), *map(str, words)], cwd=str(directory),
      env=dict(os.environ, PYTHONUNBUFFERED='1', **variables),
      start_new_session=True, universal_newlines=True, stdout=subprocess.PIPE,
      stderr=subprocess.PIPE)


def _run(*arguments, **variables):
  """Returns (exit status, standard output, standard error)."""
  process = _start(*arguments, **variables)
  out, err = process.communicate()
  return process.returncode, out, err


def _variables(checkpoint):
  """Returns {name: value} of a checkpoint, or of a directory's latest."""
  if checkpoint.is_dir():
    checkpoint = tf.train.latest_checkpoint(str(checkpoint))
  reader = tf.train.NewCheckpointReader(str(checkpoint))
  return {name: reader.get_tensor(name)
          for name in reader.get_variable_to_shape_map()}


def _write_checkpoint(path, network, num_classes=1001):
  """Saves a network as it is initialised; `path` ends with .ckpt."""
  with tf.Graph().as_default(), tf.Session() as session:
    build = nets_factory.get_network_fn(network, num_classes, is_training=True)
    size = build.default_image_size
    build(tf.zeros([1, size, size, 3]))
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, str(path), write_meta_graph=False)
  return path


def _pack(archive, prefix):
  """Packs the files of a checkpoint as it is published."""
  return raw_files.write_tar(archive, [
      (path.name, path.read_bytes())
      for path in sorted(prefix.parent.glob(prefix.name + '.*'))])


def _write_flowers(path):
  random = np.random.RandomState(0)
  members = []
  for number in range(_NUM_FLOWERS):
    content = io.BytesIO()
    Image.fromarray(random.randint(0, 256, [40, 40, 3]).astype(np.uint8)).save(
        content, 'JPEG')
    members.append(('flower_photos/%s/%d.jpg' % (
        _FLOWERS[number % len(_FLOWERS)], number), content.getvalue()))
  return raw_files.write_tar(path, members)


@pytest.fixture(scope='module', name='flowers')
def _flowers(tmp_path_factory):
  """A directory with flower_photos.tgz; the first recipe converts it."""
  directory = tmp_path_factory.mktemp('flowers')
  _write_flowers(directory / 'flower_photos.tgz')
  return directory


def test_lenet_is_stopped_and_goes_on(tmp_path):
  raw_files.write_mnist(str(tmp_path / 'raw'))
  script = 'train_lenet_on_mnist.sh', '--source=raw'
  process = _start(tmp_path, *script, STEPS='1000000')
  for line in process.stdout:
    if line.startswith('step 3 of'):
      break
  os.killpg(process.pid, signal.SIGTERM)
  out, _ = process.communicate()
  saved = out[out.index('Saved ') + len('Saved '):].split(';')[0]
  step = int(saved.split('model.ckpt-')[1].split('.')[0])
  status, out, err = _run(tmp_path, *script, STEPS=str(step + 1))
  assert status == 0, err
  assert 'mnist_train.tfrecord' not in out, 'the dataset is kept'
  assert 'Resuming from' in out and 'step %d of' % (step + 1) in out
  assert 'Counted 20 examples at step %d.' % (step + 1) in out


def test_cifarnet(tmp_path):
  raw_files.write_cifar10(
      str(tmp_path / 'cifar-10-batches-py'), 'python', batch_size=2)
  raw_files.pack(str(tmp_path / 'cifar-10-batches-py'),
                 str(tmp_path / 'cifar-10-python.tar.gz'))
  status, out, err = _run(tmp_path, 'train_cifarnet_on_cifar10.sh',
                          '--source=cifar-10-python.tar.gz')
  assert status == 0, err
  assert 'Counted 2 examples at step 1.' in out
  assert (tmp_path / 'model' / 'model.ckpt-1.index').exists()


@pytest.mark.parametrize('network, head, size', _FINETUNED)
def test_fine_tuning(flowers, tmp_path, network, head, size):
  checkpoint = _write_checkpoint(tmp_path / (network + '.ckpt'), network)
  status, out, err = _run(
      tmp_path, 'finetune_%s_on_flowers.sh' % network,
      '--source=%s' % (flowers / 'flower_photos.tgz'),
      DATA_DIR=str(flowers / 'data'), IMAGE_SIZE=str(size),
      CHECKPOINT=_pack(tmp_path / 'net.tar.gz', checkpoint))
  assert status == 0, err
  assert out.count('Counted 350 examples at step 1.') == 2
  given = _variables(checkpoint)
  first = _variables(tmp_path / 'model')
  second = _variables(tmp_path / 'model' / 'all')
  weights = [name for name in given if name.endswith('/weights')
             and 'Aux' not in name and not name.startswith(head)]
  assert all(np.array_equal(given[name], first[name]) for name in weights)
  assert not any(np.array_equal(first[name], second[name]) for name in weights)
  heads = [name for name in first if name.startswith(head)
           and name.endswith('weights')]
  assert heads and first[heads[0]].shape[-1] == len(_FLOWERS)


def test_a_checkpoint_of_another_network_is_refused(flowers, tmp_path):
  status, out, err = _run(
      tmp_path, 'finetune_resnet_v1_50_on_flowers.sh',
      '--source=%s' % (flowers / 'flower_photos.tgz'), IMAGE_SIZE='32',
      DATA_DIR=str(flowers / 'data'),
      CHECKPOINT=str(_write_checkpoint(tmp_path / 'lenet.ckpt', 'lenet')))
  assert status == 1 and 'step 1 of' not in out
  assert 'lenet.ckpt has 0 of the ' in err
  assert 'it belongs to another network' in err
  assert not (tmp_path / 'model' / 'checkpoint').exists()


def test_export(tmp_path):
  checkpoint = _write_checkpoint(
      tmp_path / 'mobilenet.ckpt', 'mobilenet_v1_025')
  Image.new('RGB', (20, 30), 'red').save(str(tmp_path / 'red.png'))
  status, out, err = _run(
      tmp_path, 'export_mobilenet.sh', '0.25', '128',
      _pack(tmp_path / 'net.tar.gz', checkpoint), OUTPUT_DIR='export',
      DATA_DIR='', PICTURE='red.png')
  assert status == 0, err
  assert {'frozen_graph.pb', 'labels.txt', 'model.json', 'unfrozen_graph.pb'
         } <= set(out.split('export has\n')[1].split())
  assert 'red.png: ' in out
  record = json.loads((tmp_path / 'export' / 'model.json').read_text())
  assert record['input_shape'] == [None, 128, 128, 3]
  graph = tf.GraphDef.FromString(
      (tmp_path / 'export' / 'frozen_graph.pb').read_bytes())
  assert {'input', 'predictions'} <= {node.name for node in graph.node}
  assert not (tmp_path / 'export.unfinished').exists()


@pytest.mark.parametrize('script, words, message', [
    ('train_lenet_on_mnist.sh', ['--source=no_folder'],
     'FileNotFoundError: there is no no_folder: --source takes a directory, an '
     'archive or a URL'),
    ('train_cifarnet_on_cifar10.sh', ['--sorce=cifar-10-python.tar.gz'],
     'unknown flag --sorce; did you mean --source?'),
    ('finetune_inception_v1_on_flowers.sh', ['--source=empty.tgz'],
     'empty.tgz is no tar or zip archive, or a damaged one'),
    ('finetune_inception_v3_on_flowers.sh', ['flower_photos.tgz'],
     "unexpected argument 'flower_photos.tgz'; this program takes flags only"),
    ('export_mobilenet.sh', ['0.25', '128', 'empty.tgz'],
     'The archive empty.tgz cannot be unpacked')])
def test_one_thing_is_wrong(tmp_path, script, words, message):
  (tmp_path / 'empty.tgz').write_text('')
  status, _, err = _run(tmp_path, script, *words, OUTPUT_DIR='export')
  assert status in (1, 2)
  assert message in err.splitlines()[-1]
  assert 'Traceback' not in err
  assert sorted(os.listdir(str(tmp_path))) in (['data', 'empty.tgz'],
                                               ['empty.tgz'])
