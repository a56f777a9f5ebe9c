"""Finds a network by name.

`networks_map` maps a name to the function that builds the network,
`arg_scopes_map` maps it to the function that returns its argument scope; both
are derived from one table. The module of a family is imported on first access
to one of its entries, so that importing this module is fast.
"""
import collections
import functools
import importlib

import tf_slim as slim

from slim_common import suggest

Published = collections.namedtuple(
    'Published', 'image_size preprocessing labels_offset')
Published.__doc__ = """How the published ImageNet checkpoints are evaluated.

Attributes:
  image_size: int, height and width of the images, in pixels.
  preprocessing: name of the preprocessing family.
  labels_offset: 1 for a network without the background class, otherwise 0.
"""
_VGG = Published(224, 'vgg', 1)
_INCEPTION_224 = Published(224, 'inception', 0)
_INCEPTION_299 = Published(299, 'inception', 0)
_INCEPTION_331 = Published(331, 'inception', 0)

Network = collections.namedtuple(
    'Network', 'module function arg_scope video config published',
    defaults=[False, None, None])
Network.__doc__ = """Row of the table of networks.

Attributes:
  module: name of the module in `nets`.
  function: name of the function that builds the network.
  arg_scope: name of the function that returns its argument scope.
  video: whether it takes [batch, frames, height, width, channels].
  config: name of the function that returns its settings, or None.
  published: a Published; None where no checkpoint was published, or where its
    images are those of the network's defaults.
"""

_NETWORKS = {
    'alexnet_v2': Network('alexnet', 'alexnet_v2', 'alexnet_v2_arg_scope'),
    'cifarnet': Network('cifarnet', 'cifarnet', 'cifarnet_arg_scope'),
    'overfeat': Network('overfeat', 'overfeat', 'overfeat_arg_scope'),
    'vgg_a': Network('vgg', 'vgg_a', 'vgg_arg_scope'),
    'vgg_16': Network('vgg', 'vgg_16', 'vgg_arg_scope', published=_VGG),
    'vgg_19': Network('vgg', 'vgg_19', 'vgg_arg_scope', published=_VGG),
    'inception_v1': Network('inception_v1', 'inception_v1', 'inception_v1_arg_scope'),
    'inception_v2': Network('inception_v2', 'inception_v2', 'inception_v2_arg_scope'),
    'inception_v3': Network('inception_v3', 'inception_v3', 'inception_v3_arg_scope'),
    'inception_v4': Network('inception_v4', 'inception_v4', 'inception_v4_arg_scope'),
    'inception_resnet_v2': Network(
        'inception_resnet_v2', 'inception_resnet_v2', 'inception_resnet_v2_arg_scope'),
    'i3d': Network('i3d', 'i3d', 'i3d_arg_scope', video=True),
    's3dg': Network('s3dg', 's3dg', 's3dg_arg_scope', video=True),
    'lenet': Network('lenet', 'lenet', 'lenet_arg_scope'),
    'resnet_v1_50': Network('resnet_v1', 'resnet_v1_50', 'resnet_arg_scope', published=_VGG),
    'resnet_v1_101': Network('resnet_v1', 'resnet_v1_101', 'resnet_arg_scope', published=_VGG),
    'resnet_v1_152': Network('resnet_v1', 'resnet_v1_152', 'resnet_arg_scope', published=_VGG),
    'resnet_v1_200': Network('resnet_v1', 'resnet_v1_200', 'resnet_arg_scope'),
    'resnet_v2_50': Network('resnet_v2', 'resnet_v2_50', 'resnet_arg_scope',
                             published=_INCEPTION_299),
    'resnet_v2_101': Network('resnet_v2', 'resnet_v2_101', 'resnet_arg_scope',
                             published=_INCEPTION_299),
    'resnet_v2_152': Network('resnet_v2', 'resnet_v2_152', 'resnet_arg_scope',
                             published=_INCEPTION_299),
    'resnet_v2_200': Network('resnet_v2', 'resnet_v2_200', 'resnet_arg_scope'),
    'mobilenet_v1': Network('mobilenet_v1', 'mobilenet_v1', 'mobilenet_v1_arg_scope'),
    'mobilenet_v1_075': Network('mobilenet_v1', 'mobilenet_v1_075', 'mobilenet_v1_arg_scope'),
    'mobilenet_v1_050': Network('mobilenet_v1', 'mobilenet_v1_050', 'mobilenet_v1_arg_scope'),
    'mobilenet_v1_025': Network('mobilenet_v1', 'mobilenet_v1_025', 'mobilenet_v1_arg_scope'),
    'mobilenet_v2': Network('mobilenet.mobilenet_v2', 'mobilenet', 'training_scope'),
    'mobilenet_v2_140': Network('mobilenet.mobilenet_v2', 'mobilenet_v2_140', 'training_scope'),
    'mobilenet_v2_035': Network('mobilenet.mobilenet_v2', 'mobilenet_v2_035', 'training_scope'),
    'mobilenet_v3_small': Network('mobilenet.mobilenet_v3', 'small', 'training_scope'),
    'mobilenet_v3_large': Network('mobilenet.mobilenet_v3', 'large', 'training_scope'),
    'mobilenet_v3_small_minimalistic': Network(
        'mobilenet.mobilenet_v3', 'small_minimalistic', 'training_scope'),
    'mobilenet_v3_large_minimalistic': Network(
        'mobilenet.mobilenet_v3', 'large_minimalistic', 'training_scope'),
    'mobilenet_edgetpu': Network('mobilenet.mobilenet_v3', 'edge_tpu', 'training_scope'),
    'mobilenet_edgetpu_075': Network('mobilenet.mobilenet_v3', 'edge_tpu_075', 'training_scope'),
    'nasnet_cifar': Network('nasnet.nasnet', 'build_nasnet_cifar', 'nasnet_cifar_arg_scope',
                             config='cifar_config'),
    'nasnet_mobile': Network('nasnet.nasnet', 'build_nasnet_mobile', 'nasnet_mobile_arg_scope',
                             config='mobile_imagenet_config', published=_INCEPTION_224),
    'nasnet_large': Network('nasnet.nasnet', 'build_nasnet_large', 'nasnet_large_arg_scope',
                             config='large_imagenet_config', published=_INCEPTION_331),
    'pnasnet_large': Network('nasnet.pnasnet', 'build_pnasnet_large', 'pnasnet_large_arg_scope',
                             config='large_imagenet_config', published=_INCEPTION_331),
    'pnasnet_mobile': Network('nasnet.pnasnet', 'build_pnasnet_mobile', 'pnasnet_mobile_arg_scope',
                             config='mobile_imagenet_config', published=_INCEPTION_224),
}


# The modules of networks without the layout NCHW.
_NHWC_ONLY = ('cifarnet', 'lenet', 'i3d', 's3dg')


class _ImportedOnDemand(collections.abc.MutableMapping):
  """A mapping whose values are imported on first access.

  Like a dict, it accepts new entries: `networks_map['mine'] = my_network`.
  """

  def __init__(self, attribute):
    self._attribute = attribute
    self._values = dict.fromkeys(_NETWORKS)

  def __getitem__(self, name):
    value = self._values[name]
    if value is None:
      row = _NETWORKS[name]
      module = importlib.import_module('nets.' + row.module)
      value = self._values[name] = getattr(
          module, getattr(row, self._attribute))
    return value

  def __setitem__(self, name, value):
    self._values[name] = value

  def __delitem__(self, name):
    del self._values[name]

  def __iter__(self):
    return iter(self._values)

  def __len__(self):
    return len(self._values)

  def __contains__(self, name):
    return name in self._values


networks_map = _ImportedOnDemand('function')
arg_scopes_map = _ImportedOnDemand('arg_scope')


def takes_video(name):
  """Returns whether the network `name` takes videos instead of images."""
  return name in _NETWORKS and _NETWORKS[name].video


def published(name):
  """Returns the Published of the network `name`, or None."""
  return _NETWORKS[name].published if name in _NETWORKS else None


def layout_arguments(name, data_format):
  """Returns the arguments that make a network compute in a layout.

  Networks without such arguments follow `layouts.scope`; see `in_layout`.

  Args:
    name: a key of `networks_map`.
    data_format: 'NHWC' or 'NCHW'.

  Returns:
    A dict of keyword arguments for the network.

  Raises:
    ValueError: the network has no such layout.
  """
  if data_format == 'NHWC':
    return {}
  without = [each for each, row in _NETWORKS.items()
             if row.module in _NHWC_ONLY]
  if data_format != 'NCHW' or name not in _NETWORKS or name in without:
    raise ValueError(
        '%s cannot compute in the layout %s, only in NHWC. NCHW is offered by '
        'all networks of this library but %s.' % (
            name, data_format, ', '.join(without)))
  row = _NETWORKS[name]
  if not row.config:
    return {}
  module = importlib.import_module('nets.' + row.module)
  config = getattr(module, row.config)()
  config.data_format = data_format
  return {'config': config}


def in_layout(name, network_fn, data_format):
  """Makes a network compute in a layout.

  Args:
    name: a key of `networks_map`.
    network_fn: what `get_network_fn` returned for it.
    data_format: 'NHWC' or 'NCHW'.

  Returns:
    A function as `network_fn`, of images in NHWC in either case.

  Raises:
    ValueError: the network has no such layout.
  """
  arguments = layout_arguments(name, data_format)
  if data_format == 'NHWC' or arguments:
    return functools.partial(network_fn, **arguments)

  layouts = importlib.import_module('nets.layouts')

  @functools.wraps(network_fn)
  def transposed(images, **kwargs):
    with layouts.scope(data_format):
      return network_fn(layouts.to_nchw(images), **kwargs)

  return transposed


def get_network_fn(name, num_classes, weight_decay=0.0, is_training=False):
  """Returns a function that builds the network `name`.

  Args:
    name: a key of `networks_map`.
    num_classes: number of classes; None or 0 to return features instead.
    weight_decay: coefficient of L2 regularization of the weights.
    is_training: whether dropout and batch normalization are in training mode.

  Returns:
    A function of images (float32 [batch, height, width, channels], for video
    networks [batch, frames, height, width, channels]) and of keyword arguments
    for the network; it returns (net, end_points), the float32 logits
    [batch, num_classes] and a dict of tensors. Its attribute
    `default_image_size` is the height and width in pixels of the images that
    the network was designed for.

  Raises:
    ValueError: `name` is unknown.
  """
  if name not in networks_map:
    raise ValueError('Name of network unknown %s%s Known are: %s' % (
        name, suggest.hint(name, networks_map, 3), ', '.join(networks_map)))
  function = networks_map[name]

  @functools.wraps(function)
  def network_fn(images, **kwargs):
    with slim.arg_scope(arg_scopes_map[name](weight_decay=weight_decay)):
      return function(
          images, num_classes=num_classes, is_training=is_training, **kwargs)

  return network_fn
