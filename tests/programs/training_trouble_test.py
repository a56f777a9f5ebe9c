"""Errors in a training: message, status, and what can be done after."""
import os
import resource
import signal
import subprocess
import sys

import pytest

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
_SAMPLE = os.path.join(_ROOT, 'datasets', 'samples', 'mnist')
# More than TensorFlow takes, less than the weights of a LeNet for images of
# 8,000 x 8,000 pixels.
_MEMORY = 16 * 2 ** 30


@pytest.fixture(scope='module', name='data')
def _data(tmp_path_factory):
  from datasets import download_and_convert_mnist
  directory = str(tmp_path_factory.mktemp('data'))
  download_and_convert_mnist.run(directory, source=_SAMPLE)
  return directory


def _start(data, train_dir, preexec=None, **flags):
  flags = dict(dict(
      dataset_name='mnist', dataset_dir=data, train_dir=str(train_dir),
      model_name='lenet', train_image_size=8, max_number_of_steps=4,
      batch_size=2, log_every_n_steps=1, optimizer='sgd'), **flags)
  return subprocess.Popen(
      [sys.executable, os.path.join(_ROOT, 'train_image_classifier.py')] +
      ['--%s=%s' % item for item in flags.items()], preexec_fn=preexec,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
      env=dict(os.environ, PYTHONUNBUFFERED='1'))


def _run(*arguments, **keywords):
  """Returns (exit status, standard output, standard error)."""
  process = _start(*arguments, **keywords)
  out, err = process.communicate()
  return process.returncode, out, err


def test_out_of_memory(data, tmp_path):
  def limit():
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))

  status, _, err = _run(data, tmp_path, limit, train_image_size=8000)
  assert status == 1
  assert err.splitlines()[-1].startswith('ValueError: Out of memory (OOM when ')
  assert 'Lower --batch_size (2 now) or --train_image_size; ' in err
  assert 'Traceback' not in err


@pytest.mark.slow
def test_not_a_number_and_a_lower_rate_afterwards(data, tmp_path):
  status, _, err = _run(
      data, tmp_path, learning_rate=1e20, max_number_of_steps=50)
  assert status == 1
  assert err.startswith('ValueError: The loss is ') and err.endswith(
      'Try a lower --learning_rate. The last good checkpoint is '
      '%s/model.ckpt-0.\n' % tmp_path)
  status, out, err = _run(data, tmp_path, learning_rate=1e-4)
  assert (status, err) == (0, '')
  assert 'Resuming from %s/model.ckpt-0.' % tmp_path in out
  assert 'Finished. Saved %s/model.ckpt-4.' % tmp_path in out


@pytest.mark.slow
def test_a_second_signal_ends_at_once(data, tmp_path):
  process = _start(data, tmp_path, max_number_of_steps=10 ** 6,
                   log_every_n_steps=1, eval_every=10 ** 6)
  for line in process.stdout:
    if line.startswith('step 3 '):
      break
  process.send_signal(signal.SIGINT)
  for line in process.stderr:
    if line.startswith('Stopping after this step'):
      break
  process.send_signal(signal.SIGINT)
  process.communicate()
  # The first may have been enough by now.
  assert process.returncode == 128 + signal.SIGINT
