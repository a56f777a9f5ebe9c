"""The model of benchmarks/scaling.py; it starts no training."""
import argparse
import sys

import pytest

from benchmarks import scaling

_NETWORK = scaling.Network('net', 1e6, 10, 100.0)


@pytest.mark.parametrize('workers, expected', [
    (1, 0), (2, 4e6), (4, 6e6), (1000, 7.992e6)])
def test_bytes_of_a_step(workers, expected):
  assert scaling.exchanged_bytes(1e6, workers) == pytest.approx(expected)


@pytest.mark.parametrize('layout, expected', [
    (0, 0), (1, 0), (3, 8e6), (4, 16e6)])
def test_bytes_of_all_processes(layout, expected):
  # pylint: disable=protected-access
  assert scaling.total_bytes(scaling._LAYOUTS[layout], 1e6) == expected


_TRAINING = """
import sys, time
print('[worker 0] is process %d.' % __import__('os').getpid())
print('[worker 0]   Trained: 2 variables, 1000 parameters.')
for step in range(1, 7):
  time.sleep(0.01)
  print('[worker 0] step %d of 6  0:00 left' % step)
sys.exit(STATUS)
"""


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='Linux only')
@pytest.mark.parametrize('status', [0, 1])
def test_measurements_of_a_training(status, monkeypatch):
  monkeypatch.setattr(scaling, 'command', lambda *_: [
      sys.executable, '-c', _TRAINING.replace('STATUS', str(status))])
  monkeypatch.setattr(
      scaling, '_sent_bytes', iter([1000, 1800]).__next__)
  layout = scaling._LAYOUTS[3]  # pylint: disable=protected-access
  options = argparse.Namespace(steps=6)
  if status:
    with pytest.raises(SystemExit, match='^2 workers, all-reduce failed:'):
      scaling.measure(layout, options, 'data')
    return
  found = scaling.measure(layout, options, 'data')
  # Lines that arrive late shorten what is between them.
  assert 0.001 < found.seconds < 1 and found.cpu >= 0
  # From step 3 to step 5.
  assert (found.bytes, found.parameters) == (400, 1000)


@pytest.mark.parametrize('bandwidth, latency, overlap, expected', [
    (1e9, 0, 0, 0.1 + 4e-3), (1e9, 0, 1, 0.1), (4e7, 0, 0.5, 0.1 + 0.05),
    (1e15, 1e-2, 0, 0.12)])
def test_time_of_a_step(bandwidth, latency, overlap, expected):
  machine = scaling.Machine('link', bandwidth, latency, overlap)
  assert scaling.step_seconds(_NETWORK, machine, 2) == pytest.approx(
      expected, rel=1e-6)
  assert scaling.efficiency(_NETWORK, machine, 1) == 1


def test_table_has_a_row_for_each_network_and_machine():
  lines = list(scaling.model_table())
  assert lines[0].endswith('| N = 1 | N = 8 | N = 64 | N = 256 | N = 1,024 |')
  assert len(lines) == 2 + 4 * 3
  assert all(line.count('|') == 8 and '| 100 %' in line for line in lines[2:])


def test_all_layouts_have_the_same_batch():
  options = argparse.Namespace(
      model='lenet', batch_size=8, image_size=32, steps=5)
  for layout in scaling._LAYOUTS:  # pylint: disable=protected-access
    words = scaling.command(layout, options, 'data', 'dir')
    per_clone = [int(word.split('=')[1]) for word in words
                 if word.startswith('--batch_size=')]
    assert [size * layout.clones * layout.workers for size in per_clone] == [8]
    assert ('--sync_replicas' in words) == bool(layout.servers)


def test_table_compares_medians_with_the_first_layout(monkeypatch):
  found = iter([scaling.Measured(2.0, cpu, sent, 1e6) for cpu, sent in (
      (1.0, 0), (1.1, 8.1e6), (9.0, 0), (9.0, 9e6), (1.0, 0), (1.1, 8.1e6))])
  monkeypatch.setattr(scaling, 'measure', lambda *_: next(found))
  options = argparse.Namespace(
      model='net', batch_size=8, rounds=3, layouts='0,3')
  assert list(scaling.measured_table(options, 'data')) == [
      '| net, 8 images a step | images/s | CPU s a step | of the first | MB a '
      'step | computed |',
      '|---|---|---|---|---|---|',
      '| 1 process | 4.0 | 1.00 | +0 % | 0.0 | 0.0 |',
      '| 2 workers, all-reduce | 4.0 | 1.10 | +10 % | 8.1 | 8.0 |']


def test_the_model_is_checked_with_other_networks(monkeypatch):
  # At 1 GB/s and 5 ms a message; the third step is slower than that.
  found = iter([scaling.Measured(seconds, 0, 0, parameters)
                for seconds, parameters in (
                    (0.1, 1e6), (0.114, 1e6), (0.2, 1e7), (0.25, 1e7),
                    (0.3, 5e6), (0.4, 5e6))])
  monkeypatch.setattr(scaling, 'measure', lambda *_: next(found))
  options = argparse.Namespace(batch_size=4, rounds=1, check='a,b,c')
  assert list(scaling.check_table(options, 'data'))[2:] == [
      '| a | 1.00 million | 0.100 | 0.114 | fitted | |',
      '| b | 10.00 million | 0.200 | 0.250 | fitted | |',
      '| c | 5.00 million | 0.300 | 0.400 | 0.330 | -18 % |',
      'Fitted: 1000 MB/s, 5.0 ms.']


def test_a_model_needs_two_networks_to_be_fitted(monkeypatch, capsys):
  monkeypatch.setattr(sys, 'argv', ['scaling', '--check=lenet,vgg_16'])
  with pytest.raises(SystemExit):
    scaling.main()
  assert '--check=lenet,vgg_16: name three networks or more' in (
      capsys.readouterr().err)
