import collections

import pytest
import tensorflow.compat.v1 as tf

from deployment import devices


def _pretend_gpus(monkeypatch, number):
  monkeypatch.setattr(devices, 'available_gpus', lambda: ['gpu'] * number)


def test_available_gpus(monkeypatch):
  device = collections.namedtuple('device', 'name')
  seen = {'GPU': [device('gpu:0'), device('gpu:1')], 'CPU': [device('cpu:0')]}
  monkeypatch.setattr(
      tf.config.experimental, 'list_physical_devices', seen.get)
  assert devices.available_gpus() == ['gpu:0', 'gpu:1']


@pytest.mark.parametrize('num_clones, line', [
    (1, 'TensorFlow sees no GPU: the model runs on the CPU.'),
    (3, 'TensorFlow sees no GPU: the 3 clones run on the CPU.')])
def test_without_gpu_one_line_says_so(monkeypatch, capsys, num_clones, line):
  _pretend_gpus(monkeypatch, 0)
  assert devices.choose_clone_on_cpu(num_clones=num_clones)
  assert capsys.readouterr().out == line + '\n'


def test_cpu_on_request_is_silent(capsys):
  assert devices.choose_clone_on_cpu(True)
  assert not capsys.readouterr().out


def test_a_gpu_for_each_clone(monkeypatch, capsys):
  _pretend_gpus(monkeypatch, 2)
  assert not devices.choose_clone_on_cpu(False, num_clones=2)
  assert devices.choose_clone_on_cpu(True, num_clones=4)
  assert not capsys.readouterr().out


@pytest.mark.parametrize('num_gpus, seen', [(1, '1 GPU'), (2, '2 GPUs')])
def test_fewer_gpus_than_clones(monkeypatch, num_gpus, seen):
  _pretend_gpus(monkeypatch, num_gpus)
  message = 'num_clones is 4, but TensorFlow sees %s. Use num_clones=%d' % (
      seen, num_gpus)
  with pytest.raises(ValueError, match=message):
    devices.choose_clone_on_cpu(num_clones=4)
