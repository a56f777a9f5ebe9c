"""Tests of what makes tf_slim find the layers of every TensorFlow."""
import os
import subprocess
import sys

import pytest

_PRINT_LAYERS = """
import sys
from slim_common import tf_versions
import {package}.legacy_tf_layers.normalization as moved
print(moved.HOME, moved is sys.modules[moved.__name__])
print([name for name in sys.modules if name.startswith('tensorflow')])
"""


def _run(code, directory=None):
  """Returns the lines that Python prints, with `directory` on its path."""
  path = filter(None, [directory and str(directory), os.getcwd()])
  result = subprocess.run(
      [sys.executable, '-W', 'ignore', '-c', code],
      env=dict(os.environ, PYTHONPATH=os.pathsep.join(path)),
      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True)
  assert result.returncode == 0, result.stderr
  return result.stdout.splitlines()


def _write_package(directory, path):
  directory = directory.joinpath(path)
  directory.mkdir(parents=True)
  for parent in (directory, directory.parent, directory.parent.parent):
    if parent.name and not parent.name.startswith('test_'):
      (parent / '__init__.py').write_text('')
  (directory / 'normalization.py').write_text('HOME = %r\n' % path)


@pytest.mark.parametrize('package', ['keras', 'tf_keras'])
def test_finds_layers_below_src(package, tmp_path):
  home = package + '/src/legacy_tf_layers'
  _write_package(tmp_path, home)
  assert _run(_PRINT_LAYERS.format(package=package), tmp_path) == [
      home + ' True', '[]']


def test_changes_nothing_where_the_layers_are_found(tmp_path):
  _write_package(tmp_path, 'keras/src/legacy_tf_layers')
  _write_package(tmp_path, 'keras/legacy_tf_layers')
  assert _run(_PRINT_LAYERS.format(package='keras'), tmp_path)[0] == (
      'keras/legacy_tf_layers True')


def test_other_names_are_still_missing(tmp_path):
  assert _run("""
import slim_common.tf_versions
try:
  import keras.legacy_tf_layers_of_mine
except ImportError as error:
  print('missing')""") == ['missing']


def test_layers_of_users_work_after_an_import_of_nets():
  lines = _run("""
from nets import nets_factory
import tensorflow as tf2
import tensorflow.compat.v1 as tf
import tf_slim as slim
print(tf2.__version__[0] == '1' or tf.executing_eagerly())
with tf.Graph().as_default():
  images = tf.zeros([2, 8, 8, 3])
  slim.batch_norm(slim.conv2d(images, 4, 3))
  print(len(tf.global_variables()))
print(tf2.__version__[0] == '1' or tf.executing_eagerly())""")
  assert lines == ['True', '5', 'True']


@pytest.mark.parametrize('imports', [
    'import slim_common.tf_versions\nimport tf_slim as slim',
    'import tf_slim as slim\nimport slim_common.tf_versions'])
def test_names_that_moved_are_where_tf_slim_looks_for_them(imports):
  assert _run(imports + """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
is_training = tf.placeholder_with_default(True, [])
images = tf.zeros([2, 8, 8, 3])
slim.batch_norm(images, is_training=is_training)
slim.dropout(images, is_training=is_training)
slim.spatial_softmax(images)
slim.local_variable(0.0, name='local')
print('built')""") == ['built']
