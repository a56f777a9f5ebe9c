"""Tests examples/call_from_tensorflow_2.py, in processes of its own."""
import subprocess
import sys

import pytest
import tensorflow as tf

from benchmarks.contenders import random_checkpoint
from examples import call_from_tensorflow_2

_IS_OLD = tf.__version__.startswith('1.')


def _run(*arguments):
  return subprocess.run(
      [sys.executable, call_from_tensorflow_2.__file__, *arguments],
      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True)


@pytest.fixture(scope='module', name='checkpoint')
def _checkpoint(tmp_path_factory):
  return random_checkpoint.save(
      'mobilenet_v1_025', 64, str(tmp_path_factory.mktemp('checkpoint')), 5)


@pytest.mark.skipif(_IS_OLD, reason='needs TensorFlow 2')
def test_values_are_those_of_a_session(checkpoint):
  result = _run('mobilenet_v1_025', '--checkpoint_path=' + checkpoint,
                '--num_classes=5', '--image_size=64')
  assert (result.returncode, result.stderr) == (0, '')
  words, difference = result.stdout.rsplit(' by ', 1)
  assert words.startswith('mobilenet_v1_025: 137 variables; logits [2, 5] ')
  assert float(difference) < 1e-4


@pytest.mark.skipif(_IS_OLD, reason='needs TensorFlow 2')
@pytest.mark.parametrize('classes, message', [
    (6, 'Shape mismatch'), (5, 'not found')])
def test_another_checkpoint_is_refused(checkpoint, classes, message):
  model = 'mobilenet_v1_025' if classes == 6 else 'mobilenet_v2_035'
  result = _run(model, '--checkpoint_path=' + checkpoint, '--image_size=64',
                '--num_classes=%d' % classes)
  assert result.returncode == 1
  assert result.stderr.startswith('call_from_tensorflow_2.py: ')
  assert message in result.stderr


@pytest.mark.skipif(not _IS_OLD, reason='TensorFlow 2 has it')
def test_tensorflow_1_is_refused(checkpoint):
  result = _run('mobilenet_v1_025', '--checkpoint_path=' + checkpoint)
  assert result.returncode == 1
  assert 'TensorFlow 1.15.5 has no functions with weights; use' in result.stderr
