"""Several processes of train_image_classifier.py that train one network."""
import os
import re
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf

from tests.deployment import free_hosts

pytestmark = pytest.mark.slow

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
_STEPS = 12


def _run(commands):
  """Runs processes that end well; returns what they print."""
  processes = [subprocess.Popen(
      command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True) for command in commands]
  try:
    texts = [process.communicate(timeout=240)[0] for process in processes]
  finally:
    for process in processes:
      process.kill()
  assert not any(process.returncode for process in processes), texts
  return texts


def test_fine_tuning_and_evaluation_by_a_parameter_server(
    digits, trained, tmp_path):
  hosts = free_hosts.free_hosts(3)
  train_dir = tmp_path / 'run'
  command = [
      sys.executable, '-W', 'ignore',
      os.path.join(_ROOT, 'train_image_classifier.py'),
      '--dataset_name=mnist', '--dataset_dir=' + digits, '--model_name=lenet',
      '--train_dir=%s' % train_dir, '--max_number_of_steps=%d' % _STEPS,
      '--batch_size=8', '--log_every_n_steps=4', '--seed=1',
      '--checkpoint_path=%s' % trained, '--learning_rate=0.0001',
      '--eval_every=6', '--eval_split=test', '--shard_by_worker',
      '--moving_average_decay=0.9', '--sync_replicas',
      '--replicas_to_aggregate=2', '--ps_hosts=' + hosts[0],
      '--worker_hosts=' + ','.join(hosts[1:])]
  server, chief, worker = _run(
      command + ['--job_name=' + job, '--task=%d' % task]
      for job, task in (('ps', 0), ('worker', 0), ('worker', 1)))
  assert '2 of 2 workers have ended.' in server
  # Random weights start at more than 10.
  losses = re.findall(r'^step \d+ of .*  loss ([\d.]+)', chief, re.MULTILINE)
  assert losses and all(float(loss) < 3 for loss in losses), losses
  assert len(re.findall(r'^step (?:6|12)  test: ', chief, re.MULTILINE)) == 2
  assert 'test: ' not in worker
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


def test_fine_tuning_and_evaluation_by_all_reduce(digits, trained, tmp_path):
  hosts = free_hosts.free_hosts(2)
  train_dir = tmp_path / 'run'
  command = [
      sys.executable, '-W', 'ignore',
      os.path.join(_ROOT, 'train_image_classifier.py'),
      '--dataset_name=mnist', '--dataset_dir=' + digits, '--model_name=lenet',
      '--train_dir=%s' % train_dir, '--max_number_of_steps=4', '--seed=1',
      '--batch_size=4', '--num_clones=2', '--clone_on_cpu', '--eval_every=2',
      '--log_every_n_steps=1', '--checkpoint_path=%s' % trained,
      '--optimizer=momentum', '--learning_rate=0.001', '--eval_split=test',
      '--sync_batch_norm', '--worker_hosts=' + ','.join(hosts)]
  chief, worker = _run(command + ['--task=%d' % task] for task in (0, 1))
  assert 'this is worker 1 of 2. A step is the mean gradient of 2 workers x ' \
      '2 clones x 4 = 16 images' in worker
  losses = [re.findall(r'^step \d of 4 .*  loss ([\d.]+)', text, re.MULTILINE)
            for text in (chief, worker)]
  assert len(losses[0]) == 4 and losses[0] == losses[1]
  # From the weights of the checkpoint, in every worker: 1.7 at most for all 4,
  # where random weights start at more than 10.
  assert all(float(loss) < 3 for loss in losses[1])
  assert len(re.findall(r'^step [24]  test: ', chief, re.MULTILINE)) == 2
  assert 'test: ' not in worker
  assert 'Finished. Saved %s/model.ckpt-4.' % train_dir in chief
  assert 'Worker 1 has ended. It made 4 steps.' in worker
