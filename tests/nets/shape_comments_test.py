"""The shapes in comments beside the rows of tables are those of the graphs.

The other tables are too expensive to build here.
"""
import pathlib
import re

import pytest
import tensorflow.compat.v1 as tf

from nets import alexnet
from nets import cifarnet
from nets import inception_v1
from nets import lenet
from nets import mobilenet_v1
from nets import resnet_v1
from nets.mobilenet import mobilenet_v3

_ROW = re.compile(r"(?m)^ +[\w.]*\('?(\w+).*  # (\d+(?: x \d+)*)$")


def _comments(module):
  """Returns pairs of the first word in a row and the shape beside it."""
  source = pathlib.Path(module.__file__).read_text()
  return [(name, [int(size) for size in shape.split(' x ')])
          for name, shape in _ROW.findall(source)]


def _shapes(end_points, prefix=''):
  return {name[len(prefix):]: net.shape.as_list()[1:]
          for name, net in end_points.items()}


@pytest.mark.parametrize('module, network, shape, rows, prefix', [
    (lenet, lenet.lenet, [1, 28, 28, 1], 6, ''),
    (cifarnet, cifarnet.cifarnet, [1, 32, 32, 3], 6, ''),
    (alexnet, alexnet.alexnet_v2, [1, 224, 224, 3], 10, 'alexnet_v2/'),
    (inception_v1, inception_v1.inception_v1_base, [1, 224, 224, 3], 16, '')],
                         ids=['lenet', 'cifarnet', 'alexnet', 'inception_v1'])
def test_rows_with_names(module, network, shape, rows, prefix):
  comments = _comments(module)
  shapes = _shapes(network(tf.zeros(shape))[1], prefix)
  found = [(name, size) for name, size in comments if name in shapes]
  assert len(found) == rows
  assert found == [(name, shapes[name]) for name, _ in found]


def test_rows_of_mobilenet_v1():
  _, ends = mobilenet_v1.mobilenet_v1_base(tf.zeros([1, 224, 224, 3]))
  assert [shape for _, shape in _comments(mobilenet_v1)] == [
      shape for name, shape in _shapes(ends).items()
      if not name.endswith('depthwise')]


def test_rows_of_mobilenet_v3():
  expected = []
  for name, layers in (('large', 15), ('small', 11)):
    _, ends = getattr(mobilenet_v3, name)(
        tf.zeros([1, 224, 224, 3]), base_only=True, scope=name)
    expected += [ends['layer_%d' % (layer + 2)].shape.as_list()[1:]
                 for layer in range(layers)]
  assert [shape for _, shape in _comments(mobilenet_v3)][:26] == expected


def test_blocks_of_resnet():
  _, ends = resnet_v1.resnet_v1_50(tf.zeros([1, 224, 224, 3]))
  shapes = _shapes(ends, 'resnet_v1_50/')
  comments = _comments(resnet_v1.resnet_utils)
  assert comments == [('block%d' % i, shapes['block%d' % i])
                      for i in range(1, 5)]
