"""Several processes of train_image_classifier.py that train one network."""
import os
import re
import socket
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf

pytestmark = pytest.mark.slow

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
_STEPS = 12


def _free_hosts(number):
  sockets = [socket.socket() for _ in range(number)]
  try:
    for one in sockets:
      one.bind(('localhost', 0))
    return ['localhost:%d' % one.getsockname()[1] for one in sockets]
  finally:
    for one in sockets:
      one.close()


def test_a_parameter_server_and_two_workers(digits, tmp_path):
  hosts = _free_hosts(3)
  train_dir = tmp_path / 'run'
  command = [
      sys.executable, '-W', 'ignore',
      os.path.join(_ROOT, 'train_image_classifier.py'),
      '--dataset_name=mnist', '--dataset_dir=' + digits, '--model_name=lenet',
      '--train_dir=%s' % train_dir, '--max_number_of_steps=%d' % _STEPS,
      '--batch_size=8', '--log_every_n_steps=4', '--seed=1',
      '--shard_by_worker', '--moving_average_decay=0.9', '--sync_replicas',
      '--replicas_to_aggregate=2', '--ps_hosts=' + hosts[0],
      '--worker_hosts=' + ','.join(hosts[1:])]
  processes = [subprocess.Popen(
      command + ['--job_name=' + job, '--task=%d' % task],
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True)
               for job, task in (('ps', 0), ('worker', 0), ('worker', 1))]
  try:
    texts = [process.communicate(timeout=240)[0] for process in processes]
  finally:
    for process in processes:
      process.kill()
  assert [process.returncode for process in processes] == [0, 0, 0], texts
  server, chief, worker = texts
  assert '2 of 2 workers have ended.' in server
  assert 'Finished. Saved %s/model.ckpt-%d.' % (train_dir, _STEPS) in chief
  assert 'Waiting for worker 0 to make or load the variables.' in worker
  assert 'Traceback' not in chief + worker
  own = [int(re.search(r'It made (\d+) steps', text).group(1))
         for text in (chief, worker)]
  # Two gradients per update, and those of weights that were stale by then.
  assert 2 * _STEPS <= sum(own) <= 2 * _STEPS + 2 * len(own), own
  reader = tf.train.NewCheckpointReader(
      str(train_dir / ('model.ckpt-%d' % _STEPS)))
  assert reader.get_tensor('global_step') == _STEPS
  assert reader.has_tensor('LeNet/conv1/weights/ExponentialMovingAverage')
  assert not [name for name in reader.get_variable_to_shape_map()
              if 'ready' in name or 'local_step' in name]
