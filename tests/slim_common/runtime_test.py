"""Tests how the programs start TensorFlow."""
import os
import subprocess
import sys

_START = """
import sys
from slim_common import runtime
runtime.start()
import tensorflow.compat.v1 as tf
import tf_slim as slim
print('to be seen', file=sys.stderr)
slim.batch_norm(slim.conv2d(tf.zeros([2, 8, 8, 3]), 4, 3))
slim.dropout(slim.fully_connected(slim.flatten(tf.zeros([2, 8])), 4))
print(tf.executing_eagerly())
"""


def _run(code, **variables):
  variables = dict(os.environ, **variables)
  return subprocess.run(
      [sys.executable, '-c', code], env=variables, stdin=subprocess.DEVNULL,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)


def test_no_remarks_of_tensorflow_about_itself():
  result = _run(_START)
  assert (result.stdout, result.stderr) == ('False\n', 'to be seen\n')


def test_messages_written_while_it_loads_are_kept(tmp_path):
  (tmp_path / 'tensorflow.py').write_text("""
import os
os.write(2, b'I0000 00:00 oneDNN custom operations are on. And so on.\\n')
os.write(2, b'no such processor\\n')
raise ImportError('no such processor')""")
  result = _run("""
from slim_common import runtime
try:
  runtime.start()
except ValueError as error:
  print(error)""", PYTHONPATH=os.pathsep.join([str(tmp_path), os.getcwd()]))
  assert result.stderr == 'no such processor\n'
  assert result.stdout.startswith('no such processor. This needs Python 3.7 ')


def test_a_level_asked_for_by_logger_levels_stays():
  result = _run("""
import logging
logging.getLogger('tensorflow').setLevel('INFO')
from slim_common import runtime
runtime.start()
logging.getLogger('tensorflow').info('restoring')""")
  assert 'restoring' in result.stderr


def test_keras_is_imported_when_it_is_used():
  result = _run("""
import sys
from slim_common import runtime
runtime.start()
names = ('keras', 'tf_keras', 'h5py', 'matplotlib')
print([name for name in names if name in sys.modules])
import tensorflow
print(tensorflow.keras.layers.Dense.__name__)
import h5py
""")
  assert (result.stdout, result.returncode) == ('[]\nDense\n', 0), result.stderr


def test_the_end_of_a_program_looks_for_no_garbage():
  result = _run("""
import atexit, gc
from slim_common import runtime
atexit.register(lambda: print('frozen', gc.get_freeze_count() > 100000))
runtime.start()
print('frozen', gc.get_freeze_count() > 100000)
""")
  assert (result.stdout, result.returncode) == (
      'frozen False\nfrozen True\n', 0), result.stderr
