"""Tests of the times that networks take to build."""
import sys

import pytest

from benchmarks import build_graphs
from nets import nets_factory


@pytest.mark.parametrize('name', ['lenet', 'i3d'])
def test_build(monkeypatch, name):
  shapes = []

  def network(images):
    shapes.append(images.shape.as_list())
    return build_graphs.tf.get_variable('weights', [3]) + 1

  network.default_image_size = nets_factory.get_network_fn(
      name, 5).default_image_size
  seconds, operations, variables = build_graphs.build(network, name == 'i3d')
  size = network.default_image_size
  assert shapes == [[2, 16, size, size, 3] if name == 'i3d' else
                    [2, size, size, 3]]
  assert seconds >= 0 and operations > 3 and variables == 1


def test_prints_one_row_per_network(monkeypatch, capsys):
  monkeypatch.setattr(
      sys, 'argv', ['build_graphs', '--only=lenet,cifarnet', '--repeat=1'])
  build_graphs.main()
  lines = capsys.readouterr().out.splitlines()
  assert lines[0].startswith('import of nets_factory: ')
  assert lines[1].split() == ['network', 'seconds', 'operations', 'variables']
  rows = [line.split() for line in lines[2:]]
  assert [row[0] for row in rows] == ['lenet', 'cifarnet']
  # Two convolutions and two dense layers, and one layer more.
  assert [int(row[3]) for row in rows] == [8, 10]
  assert all(float(row[1]) >= 0 and int(row[2]) > 20 for row in rows)


def test_too_few_repetitions(monkeypatch, capsys):
  monkeypatch.setattr(sys, 'argv', ['build_graphs', '--repeat=0'])
  with pytest.raises(SystemExit):
    build_graphs.main()
  assert '--repeat must be 1 or more, given 0' in capsys.readouterr().err
