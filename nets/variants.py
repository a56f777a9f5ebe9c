"""Networks as other frameworks compute them, for the weights trained there.

ResNets, MobileNets and Inception V3 exist elsewhere with the same layers and
small differences of their arithmetic. A variant has these differences; the
variables are the same. A record of imported weights (run.json) names it, so
that training, evaluation and export build what the weights were trained in.
"""
import contextlib
import functools
from typing import NamedTuple, Sequence

import tf_slim as slim

from nets import inception_blocks
from nets import resnet_utils
from nets.mobilenet import mobilenet_v3
from nets.nasnet import nasnet_utils

SLIM = 'slim'


class Variant(NamedTuple):
  """A variant of some networks.

  Attributes:
    networks: prefixes of their names.
    differences: what differs, in words.
    arguments: keyword arguments of the network.
    scope: function that returns a context to build it in; or None.
  """
  networks: Sequence[str]
  differences: str
  arguments: dict = {}
  scope: object = contextlib.ExitStack


def _resnet(**placement):
  return lambda: resnet_utils.placed(resnet_utils.Placement(**placement))


VARIANTS = {
    'torch_resnet': Variant(
        ('resnet_v1_',),
        'strides in the first unit of a block, not in the last; pool1 is padded '
        'on all sides', {}, _resnet(first_unit=True, pad_pool=True)),
    'keras_resnet_v1': Variant(
        ('resnet_v1_',),
        'strides in the first 1x1 convolution of the first unit of a block, not '
        'in the 3x3 convolution of the last; pool1 is padded on all sides', {},
        _resnet(first_unit=True, first_conv=True, pad_pool=True)),
    'keras_resnet_v2': Variant(
        ('resnet_v2_',), 'pool1 is padded on all sides', {},
        _resnet(pad_pool=True)),
    'torch_mobilenet': Variant(
        ('mobilenet_v2',),
        'convolutions of stride 2 are padded on all sides, not like SAME',
        {'use_explicit_padding': True}),
    'exact_hard_sigmoid': Variant(
        ('mobilenet_v3',),
        'the slope of the hard sigmoid is 1 / 6, not 0.16667', {},
        mobilenet_v3.exact_hard_sigmoid),
    'torch_inception': Variant(
        ('inception_v3',), 'average pooling counts the padding', {},
        inception_blocks.padding_counted),
    'keras_nasnet': Variant(
        ('nasnet_',), 'pools of stride 2 see zeros around an image', {},
        lambda: nasnet_utils.zeros_pooled(slim.avg_pool2d, slim.max_pool2d)),
    'timm_nasnet': Variant(
        ('nasnet_',), 'average pools of stride 2 see zeros around an image', {},
        lambda: nasnet_utils.zeros_pooled(slim.avg_pool2d)),
}


def apply(name: str, network_fn, variant: str = SLIM):
  """Returns a network's function that builds a variant of it.

  Args:
    name: a key of `nets_factory.networks_map`.
    network_fn: what `nets_factory.get_network_fn` returned for it.
    variant: a key of VARIANTS; 'slim' or None for the network as it is.

  Raises:
    ValueError: the network has no such variant.
  """
  if variant in (None, SLIM):
    return network_fn
  known = [each for each, row in VARIANTS.items()
           if name.startswith(tuple(row.networks))]
  if variant not in known:
    raise ValueError('--network_variant=%s is not one of %s: %s.' % (
        variant, name, ', '.join([SLIM] + known)))
  row = VARIANTS[variant]

  @functools.wraps(network_fn)
  def varied(images, **kwargs):
    with row.scope():
      return network_fn(images, **dict(row.arguments, **kwargs))

  return varied
