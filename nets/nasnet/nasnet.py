"""NASNet-A: cells found by architecture search, stacked.

B. Zoph, V. Vasudevan, J. Shlens, Q. V. Le: Learning transferable architectures
for scalable image recognition, https://arxiv.org/abs/1707.07012.

A network is a stem and a list of cells, derived from its configuration;
`build` builds them, for PNASNet too.
"""
import collections

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import normalization
from nets.nasnet import hparams
from nets.nasnet import nasnet_utils

Stem = collections.namedtuple(
    'Stem', 'scope norm_scope filters stride padding endpoint')
Stem.__doc__ = """The first convolution, on the images.

Attributes:
  scope: variable scope of the convolution.
  norm_scope: variable scope of its batch normalization.
  filters: number of filters, int.
  stride: int.
  padding: 'SAME' or 'VALID'.
  endpoint: name of the end point; None if cells of the stem follow.
"""
Row = collections.namedtuple(
    'Row', 'endpoint scope cell stride filter_scaling back aux_scope')
Row.__doc__ = """A cell of a network.

Attributes:
  endpoint: name of the end point, or None.
  scope: variable scope.
  cell: class of the cell.
  stride: 1, or 2 to halve the size.
  filter_scaling: factor of the number of filters, float.
  back: the second input is the output of that many cells before.
  aux_scope: scope of the auxiliary logits on it, or None.
"""


def cifar_config(**overrides):
  """Returns the settings of NASNet-A for CIFAR-10, 6 @ 768 in the paper."""
  return hparams.HParams(
      num_cells=18, num_conv_filters=32, stem_multiplier=3.0,
      # 600 epochs of 50,000 images in batches of 32.
      total_training_steps=937500, drop_path_keep_prob=0.6,
      dense_dropout_keep_prob=1.0).override_from_dict(overrides)


def mobile_imagenet_config(**overrides):
  """Returns the settings of the mobile NASNet-A, 4 @ 1056 in the paper."""
  return hparams.HParams(
      num_cells=12, num_conv_filters=44, stem_multiplier=1.0,
      total_training_steps=250000).override_from_dict(overrides)


def large_imagenet_config(**overrides):
  """Returns the settings of the large NASNet-A, 6 @ 4032 in the paper."""
  return hparams.HParams(
      num_cells=18, num_conv_filters=168, stem_multiplier=3.0,
      total_training_steps=250000, drop_path_keep_prob=0.7,
      skip_reduction_layer_input=1).override_from_dict(overrides)


def nasnet_cifar_arg_scope(weight_decay=5e-4, batch_norm_decay=0.9,
                           batch_norm_epsilon=1e-5):
  """Returns the argument scope of the CIFAR-10 network; see `arg_scope`."""
  return arg_scope(weight_decay, batch_norm_decay, batch_norm_epsilon)


def nasnet_mobile_arg_scope(weight_decay=4e-5, batch_norm_decay=0.9997,
                            batch_norm_epsilon=1e-3):
  """Returns the argument scope of the mobile network; see `arg_scope`."""
  return arg_scope(weight_decay, batch_norm_decay, batch_norm_epsilon)


def nasnet_large_arg_scope(weight_decay=5e-5, batch_norm_decay=0.9997,
                           batch_norm_epsilon=1e-3):
  """Returns the argument scope of the large network; see `arg_scope`."""
  return arg_scope(weight_decay, batch_norm_decay, batch_norm_epsilon)


def arg_scope(weight_decay, batch_norm_decay, batch_norm_epsilon):
  """Returns the argument scope of any NASNet or PNASNet.

  Args:
    weight_decay: coefficient of L2 regularization of all weights.
    batch_norm_decay: decay of the moving averages of batch normalization.
    batch_norm_epsilon: added to the variance to avoid division by zero.
  """
  layers = [slim.conv2d, slim.separable_conv2d]
  with slim.arg_scope(
      layers + [slim.fully_connected],
      weights_regularizer=slim.l2_regularizer(weight_decay),
      weights_initializer=slim.variance_scaling_initializer(mode='FAN_OUT'),
      activation_fn=None):
    # The published variables are in FC, not in fully_connected.
    with slim.arg_scope([slim.fully_connected], scope='FC'):
      with slim.arg_scope(layers, biases_initializer=None):
        with slim.arg_scope(
            [slim.batch_norm], decay=batch_norm_decay,
            epsilon=batch_norm_epsilon, scale=True, fused=True) as scope:
          return scope


@contrib_scopes.reach
def build_nasnet_cifar(images, num_classes, is_training=True, config=None,
                       current_step=None):
  """Builds the NASNet-A for CIFAR-10.

  Args:
    images: float32 [batch, 32, 32, 3]; other sizes that are known when the
      graph is built work too.
    num_classes: number of classes; None or 0 to return features instead.
    is_training: bool, whether dropout, drop path and batch normalization are
      in training mode and auxiliary logits are built.
    config: settings; None for `cifar_config()`.
    current_step: scalar, training steps so far, for drop path; None for the
      global step, which is created if there is none.

  Returns:
    net: float32 logits [batch, num_classes], or features [batch, 768].
    end_points: dict from name to tensor: Stem, Cell_0..., Reduction_Cell_0...,
      AuxLogits in training, global_pool, Logits, Predictions. Feature maps
      have the layout `config.data_format`.

  Raises:
    ValueError: an argument or a setting is invalid.
  """
  config = config or cifar_config()
  stem = Stem('l1_stem_3x3', 'l1_stem_bn',
              int(config.num_conv_filters * config.stem_multiplier),
              1, 'SAME', 'Stem')
  return build(images, num_classes, is_training, config, stem, _cells(config),
               current_step=current_step)


build_nasnet_cifar.default_image_size = 32


@contrib_scopes.reach
def build_nasnet_mobile(images, num_classes, is_training=True,
                        final_endpoint=None, config=None, current_step=None):
  """Builds the mobile NASNet-A, designed for images of 224x224.

  Arguments that are not listed, and errors, are those of `build_nasnet_cifar`.

  Args:
    final_endpoint: last end point to build, which is returned; None for all.
    config: settings; None for `mobile_imagenet_config()`.

  Returns:
    net: float32 logits [batch, num_classes], features [batch, 1056], or the
      tensor of `final_endpoint`.
    end_points: dict from name to tensor, as of `build_nasnet_cifar`.
  """
  # For 224 x 224: Stem 28 x 28 x 88, Cell_0 to Cell_3 28 x 28 x 264, Cell_4 to
  # Cell_7 14 x 14 x 528, Cell_8 to Cell_11 7 x 7 x 1056.
  config = config or mobile_imagenet_config()
  rows = imagenet_stem_cells(config, nasnet_utils.NasNetAReductionCell)
  return build(
      images, num_classes, is_training, config, imagenet_stem(config),
      rows + _cells(config), final_endpoint, current_step)


build_nasnet_mobile.default_image_size = 224


@contrib_scopes.reach
def build_nasnet_large(images, num_classes, is_training=True,
                       final_endpoint=None, config=None, current_step=None):
  """Builds the large NASNet-A, designed for images of 331x331.

  Arguments and results are those of `build_nasnet_mobile`, with 4032 features
  and the default settings `large_imagenet_config()`.
  """
  return build_nasnet_mobile(
      images, num_classes, is_training, final_endpoint,
      config or large_imagenet_config(), current_step)


build_nasnet_large.default_image_size = 331


def imagenet_stem(config):
  """Returns the first convolution of the ImageNet networks."""
  return Stem('conv0', 'conv0_bn', int(32 * config.stem_multiplier), 2,
              'VALID', None)


def imagenet_stem_cells(config, cell):
  """Returns the rows of the two cells of the stem, of class `cell`."""
  rate = config.filter_scaling_rate
  return [Row(None, 'cell_stem_0', cell, 2, rate ** -2, 2, None),
          Row('Stem', 'cell_stem_1', cell, 2, rate ** -1, 2, None)]


def _cells(config):
  """Returns the rows of a NASNet-A after the stem."""
  reductions = nasnet_utils.calc_reduction_layers(
      config.num_cells, config.num_reduction_layers)
  aux = aux_scopes(reductions)
  scaling = 1
  rows = []
  for i in range(config.num_cells):
    back = 2
    if i in reductions:
      scaling *= config.filter_scaling_rate
      number = reductions.index(i)
      rows.append(Row(
          'Reduction_Cell_%d' % number, 'reduction_cell_%d' % number,
          nasnet_utils.NasNetAReductionCell, 2, scaling, 2, None))
      # Skips the input of the reduction.
      back = 3 if config.skip_reduction_layer_input else 2
    rows.append(Row(
        'Cell_%d' % i, 'cell_%d' % i, nasnet_utils.NasNetANormalCell, 1,
        scaling, back, aux.get(i)))
  return rows


def aux_scopes(reductions):
  """Returns {cell: scope}: auxiliary logits precede the second reduction."""
  return {cell - 1: 'aux_%d' % (cell - 1) for cell in reductions[1:2]}


def build(images, num_classes, is_training, config, stem, rows,
          final_endpoint=None, current_step=None):
  """Builds a network from its rows.

  Arguments that are not listed, results and errors are those of
  `build_nasnet_mobile`.

  Args:
    images: float32 [batch, height, width, 3], height and width known.
    config: settings, `hparams.HParams`.
    stem: a Stem.
    rows: list of Rows.
  """
  _check(images, config, is_training)
  if final_endpoint is not None:
    names = [stem.endpoint] + [row.endpoint for row in rows]
    names += ['global_pool', 'Logits', 'Predictions'][:3 if num_classes else 1]
    layer_utils.check_final_endpoint(
        final_endpoint, list(filter(None, names)), 'this network')
  if config.data_format == 'NCHW':
    images = tf.transpose(images, [0, 3, 1, 2])
  with slim.arg_scope(_modes(is_training, config.data_format)):
    outputs = [None, _stem(images, stem)]
    end_points = {stem.endpoint: outputs[-1]} if stem.endpoint else {}
    if final_endpoint in end_points:
      return outputs[-1], end_points
    cells = _make_cells(rows, config, is_training)
    for number, row in enumerate(rows):
      net = cells[row.cell](
          outputs[-1], row.scope, row.filter_scaling, row.stride,
          outputs[-row.back], number, current_step)
      outputs.append(net)
      if row.endpoint:
        end_points[row.endpoint] = net
      if final_endpoint in end_points:
        return net, end_points
      if row.aux_scope and config.use_aux_head and num_classes and is_training:
        end_points['AuxLogits'] = _aux_logits(
            net, num_classes, config, row.aux_scope)
    return _head(outputs[-1], num_classes, config, end_points, final_endpoint)


def _check(images, config, is_training):
  if isinstance(is_training, (tf.Tensor, tf.Variable)):
    raise ValueError(
        'is_training must be True or False, not a tensor: the graphs of '
        'training and evaluation differ. Build one graph for each.')
  if config.data_format not in ('NHWC', 'NCHW'):
    raise ValueError("config.data_format must be 'NHWC' or 'NCHW', not %r." % (
        config.data_format,))
  shape = images.shape
  if shape.rank != 4 or None in shape.as_list()[1:]:
    raise ValueError(
        'images must have shape [batch, height, width, channels] for any '
        'config.data_format, all but the batch size known; not %s. Set the '
        'size with images.set_shape(...).' % shape)
  if not 0 < config.drop_path_keep_prob <= 1:
    raise ValueError(
        'config.drop_path_keep_prob must be in (0, 1], not %s; 1.0 drops no '
        'path.' % config.drop_path_keep_prob)


def _modes(is_training, data_format):
  """Returns the scope that all layers of the network share."""
  with slim.arg_scope(
      [slim.batch_norm, slim.dropout, nasnet_utils.drop_path],
      is_training=is_training):
    with slim.arg_scope(
        [slim.avg_pool2d, slim.batch_norm, slim.conv2d, slim.max_pool2d,
         slim.separable_conv2d, nasnet_utils.factorized_reduction,
         nasnet_utils.get_channel_dim, nasnet_utils.get_channel_index,
         nasnet_utils.global_avg_pool], data_format=data_format) as scope:
      return scope


def _stem(images, stem):
  net = slim.conv2d(images, stem.filters, 3, stride=stem.stride,
                    padding=stem.padding, scope=stem.scope)
  return normalization.batch_norm(net, scope=stem.norm_scope)


def _make_cells(rows, config, is_training):
  """Returns a dict from each class of cells to an object of it."""
  keep_prob = config.drop_path_keep_prob if is_training else 1.0
  return {cell: cell(config.num_conv_filters, keep_prob, len(rows),
                     config.total_training_steps, config.use_bounded_activation)
          for cell in {row.cell for row in rows}}


def _aux_logits(net, num_classes, config, scope):
  """Adds the auxiliary classifier: float32 [batch, num_classes]."""
  activate = nasnet_utils.activation(config.use_bounded_activation)
  axis = config.data_format.index('H')
  if min(net.shape.as_list()[axis:axis + 2]) < 5:
    raise ValueError(
        'The auxiliary logits need a feature map of at least 5x5, not %s; give '
        'larger images or set config.use_aux_head to 0.' % net.shape)
  with tf.variable_scope(scope):
    net = activate(net)
    with tf.variable_scope('aux_logits'):
      net = slim.avg_pool2d(net, 5, stride=3, padding='VALID')
      net = slim.conv2d(net, 128, 1, scope='proj')
      net = activate(normalization.batch_norm(net, scope='aux_bn0'))
      # A kernel of the size of the map: a dense layer.
      net = slim.conv2d(net, 768, net.shape.as_list()[axis:axis + 2],
                        padding='VALID')
      net = activate(normalization.batch_norm(net, scope='aux_bn1'))
      return slim.fully_connected(slim.flatten(net), num_classes)


def _head(net, num_classes, config, end_points, final_endpoint):
  """Adds pooling, logits and predictions; returns what `build` returns."""
  with tf.variable_scope('final_layer'):
    net = nasnet_utils.activation(config.use_bounded_activation)(net)
    net = end_points['global_pool'] = nasnet_utils.global_avg_pool(net)
    if not num_classes or final_endpoint == 'global_pool':
      return net, end_points
    net = slim.dropout(net, config.dense_dropout_keep_prob, scope='dropout')
    logits = end_points['Logits'] = slim.fully_connected(net, num_classes)
    if final_endpoint == 'Logits':
      return logits, end_points
    end_points['Predictions'] = tf.nn.softmax(logits, name='predictions')
  return end_points[final_endpoint or 'Logits'], end_points
