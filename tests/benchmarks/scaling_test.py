"""The model of benchmarks/scaling.py; it starts no training."""
import argparse

import pytest

from benchmarks import scaling

_NETWORK = scaling.Network('net', 1e6, 10, 100.0)


@pytest.mark.parametrize('workers, expected', [
    (1, 0), (2, 4e6), (4, 6e6), (1000, 7.992e6)])
def test_bytes_of_a_step(workers, expected):
  assert scaling.exchanged_bytes(1e6, workers) == pytest.approx(expected)


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
