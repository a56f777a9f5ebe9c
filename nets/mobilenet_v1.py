"""MobileNet V1: depthwise separable convolutions.

A. Howard, M. Zhu, B. Chen, D. Kalenichenko, W. Wang, T. Weyand, M. Andreetto,
H. Adam: MobileNets: efficient convolutional neural networks for mobile vision
applications (2017), https://arxiv.org/abs/1704.04861
"""
import collections

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import layouts
from nets import normalization

Conv = collections.namedtuple('Conv', ['kernel', 'stride', 'depth'])
Conv.__doc__ = """Row of a definition: a full convolution.

Attributes:
  kernel: pair (height, width).
  stride: int.
  depth: channels of the result.
"""
DepthSepConv = collections.namedtuple(
    'DepthSepConv', ['kernel', 'stride', 'depth'])
DepthSepConv.__doc__ = """Row of a definition: depthwise, then 1x1 convolution.

The attributes are those of `Conv`; kernel and stride are of the depthwise one.
"""

# Table 1 of the paper, with the shape of the output for 224 x 224.
MOBILENETV1_CONV_DEFS = [
    Conv(kernel=[3, 3], stride=2, depth=32),            # 112 x 112 x 32
    DepthSepConv(kernel=[3, 3], stride=1, depth=64),    # 112 x 112 x 64
    DepthSepConv(kernel=[3, 3], stride=2, depth=128),   # 56 x 56 x 128
    DepthSepConv(kernel=[3, 3], stride=1, depth=128),   # 56 x 56 x 128
    DepthSepConv(kernel=[3, 3], stride=2, depth=256),   # 28 x 28 x 256
    DepthSepConv(kernel=[3, 3], stride=1, depth=256),   # 28 x 28 x 256
    DepthSepConv(kernel=[3, 3], stride=2, depth=512),   # 14 x 14 x 512
    DepthSepConv(kernel=[3, 3], stride=1, depth=512),   # 14 x 14 x 512
    DepthSepConv(kernel=[3, 3], stride=1, depth=512),   # 14 x 14 x 512
    DepthSepConv(kernel=[3, 3], stride=1, depth=512),   # 14 x 14 x 512
    DepthSepConv(kernel=[3, 3], stride=1, depth=512),   # 14 x 14 x 512
    DepthSepConv(kernel=[3, 3], stride=1, depth=512),   # 14 x 14 x 512
    DepthSepConv(kernel=[3, 3], stride=2, depth=1024),  # 7 x 7 x 1024
    DepthSepConv(kernel=[3, 3], stride=1, depth=1024),  # 7 x 7 x 1024
]

_OUTPUT_STRIDES = (None, 8, 16, 32)


@contrib_scopes.reach
def mobilenet_v1_base(inputs, final_endpoint='Conv2d_13_pointwise',
                      min_depth=8, depth_multiplier=1.0, conv_defs=None,
                      output_stride=None, use_explicit_padding=False,
                      scope=None):
  """Builds MobileNet V1 up to `final_endpoint`, without pooling and logits.

  Args:
    inputs: float32 [batch, height, width, channels].
    final_endpoint: name of the last layer: `Conv2d_0`, `Conv2d_1_depthwise`,
      `Conv2d_1_pointwise` and so on.
    min_depth: minimum channels of a scaled layer.
    depth_multiplier: factor of the channels of every layer, above 0.
    conv_defs: list of `Conv` and `DepthSepConv`; None for
      `MOBILENETV1_CONV_DEFS`.
    output_stride: maximum ratio of input size to output size: 8, 16 or 32;
      strides beyond it are replaced by dilation. None keeps all strides.
    use_explicit_padding: whether to pad independently of the input size,
      instead of with SAME.
    scope: variable scope.

  Returns:
    net: float32 [batch, height / 32, width / 32, channels].
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: an argument is invalid; nothing is built.
  """
  rows = MOBILENETV1_CONV_DEFS if conv_defs is None else conv_defs
  _check(inputs, rows, depth_multiplier, output_stride)
  layer_utils.check_final_endpoint(
      final_endpoint, _end_points(rows), 'this definition')
  end_points = {}
  padding = 'VALID' if use_explicit_padding else 'SAME'
  with tf.variable_scope(scope, 'MobilenetV1', [inputs]), slim.arg_scope(
      [slim.conv2d, slim.separable_conv2d], padding=padding):
    net = inputs
    placed = layer_utils.strides_and_rates(
        [row.stride for row in rows], output_stride)
    for number, (row, (stride, rate)) in enumerate(zip(rows, placed)):
      depth = max(int(row.depth * depth_multiplier), min_depth)
      if use_explicit_padding:
        net = layer_utils.fixed_padding(net, row.kernel, rate)
      for name, layer in _layers(
          number, row._replace(stride=stride, depth=depth), rate):
        net = end_points[name] = layer(net)
        if name == final_endpoint:
          return net, end_points


def _layers(number, row, rate):
  """Returns the layers of a row: pairs (name, function of a tensor)."""
  names = _names(number, row)
  if isinstance(row, Conv):
    return [(names[0], lambda net: slim.conv2d(
        net, row.depth, row.kernel, stride=row.stride, rate=rate,
        scope=names[0]))]
  return [
      (names[0], lambda net: slim.separable_conv2d(
          net, None, row.kernel, depth_multiplier=1, stride=row.stride,
          rate=rate, scope=names[0])),
      (names[1], lambda net: slim.conv2d(
          net, row.depth, [1, 1], stride=1, scope=names[1])),
  ]


def _names(number, row):
  name = 'Conv2d_%d' % number
  if isinstance(row, Conv):
    return [name]
  return [name + '_depthwise', name + '_pointwise']


def _end_points(rows):
  return [name for number, row in enumerate(rows)
          for name in _names(number, row)]


def _check(inputs, rows, depth_multiplier, output_stride=None):
  """Raises ValueError if a network cannot be built of these arguments."""
  if inputs.shape.ndims != 4:
    raise ValueError('inputs has shape %s; give images of rank 4, '
                     '[batch, height, width, channels].' % inputs.shape)
  layouts.check('MobilenetV1')
  if not rows or not all(
      isinstance(row, (Conv, DepthSepConv)) for row in rows):
    raise ValueError(
        'conv_defs is %r; give a list of Conv(...) and DepthSepConv(...), '
        'for example MOBILENETV1_CONV_DEFS.' % (rows,))
  if not depth_multiplier > 0:
    raise ValueError(
        'depth_multiplier is %s; it must be above 0, 1.0 for the full '
        'width.' % depth_multiplier)
  if output_stride not in _OUTPUT_STRIDES:
    raise ValueError('output_stride is %s; allowed are %s.' % (
        output_stride, ', '.join(map(str, _OUTPUT_STRIDES))))


@contrib_scopes.reach
def mobilenet_v1(inputs, num_classes=1000, dropout_keep_prob=0.999,
                 is_training=True, min_depth=8, depth_multiplier=1.0,
                 conv_defs=None, prediction_fn=slim.softmax,
                 spatial_squeeze=True, reuse=None, scope='MobilenetV1',
                 global_pool=False):
  """Builds MobileNet V1.

  Call it inside `slim.arg_scope(mobilenet_v1_arg_scope(...))`.

  Args:
    inputs: float32 [batch, height, width, 3] in [-1, 1]; 224x224 for ImageNet.
    num_classes: number of classes; None or 0 to return pooled features.
    dropout_keep_prob: fraction of features kept by dropout.
    is_training: whether batch normalization and dropout are in training mode.
    min_depth, depth_multiplier, conv_defs: as for `mobilenet_v1_base`.
    prediction_fn: function of (logits, scope=); None for no predictions.
    spatial_squeeze: whether to remove height and width of the logits, which
      must be 1.
    reuse: whether to reuse existing variables.
    scope: variable scope.
    global_pool: whether to average the whole feature map, whose size may be
      unknown. Otherwise windows of 7x7 with stride 2, or smaller ones that fit
      a smaller map.

  Returns:
    net: float32 logits [batch, num_classes], [batch, h, w, num_classes]
      without `spatial_squeeze`, or features [batch, h, w, channels].
    end_points: dict from name to tensor.

  Raises:
    ValueError: an argument is invalid, or the logits cannot be squeezed.
  """
  rows = MOBILENETV1_CONV_DEFS if conv_defs is None else conv_defs
  _check(inputs, rows, depth_multiplier)
  with tf.variable_scope(scope, 'MobilenetV1', [inputs], reuse=reuse) as opened:
    with slim.arg_scope([slim.batch_norm, slim.dropout],
                        is_training=is_training):
      net, end_points = mobilenet_v1_base(
          inputs, final_endpoint=_end_points(rows)[-1], min_depth=min_depth,
          depth_multiplier=depth_multiplier, conv_defs=rows, scope=opened)
      with tf.variable_scope('Logits'):
        net = _pool(net, global_pool, end_points)
        if not num_classes:
          return net, end_points
        net = slim.dropout(net, dropout_keep_prob, scope='Dropout_1b')
        logits = slim.conv2d(
            net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None,
            scope='Conv2d_1c_1x1')
        if spatial_squeeze:
          logits = layer_utils.squeeze(logits)
      end_points['Logits'] = logits
      if prediction_fn:
        end_points['Predictions'] = prediction_fn(logits, scope='Predictions')
  return logits, end_points


def _pool(net, global_pool, end_points):
  if global_pool:
    net = layouts.average(net, name='global_pool')
    end_points['global_pool'] = net
  else:
    net = slim.avg_pool2d(
        net, layer_utils.small_input_kernel(net, [7, 7]), padding='VALID',
        scope='AvgPool_1a')
    end_points['AvgPool_1a'] = net
  return net


mobilenet_v1.default_image_size = 224
mobilenet_v1_075 = layer_utils.variant(mobilenet_v1, depth_multiplier=0.75)
mobilenet_v1_050 = layer_utils.variant(mobilenet_v1, depth_multiplier=0.50)
mobilenet_v1_025 = layer_utils.variant(mobilenet_v1, depth_multiplier=0.25)


def mobilenet_v1_arg_scope(
    is_training=True, weight_decay=0.00004, stddev=0.09,
    regularize_depthwise=False, batch_norm_decay=0.9997,
    batch_norm_epsilon=0.001,
    batch_norm_updates_collections=tf.GraphKeys.UPDATE_OPS,
    normalizer_fn=normalization.batch_norm):
  """Returns the argument scope of MobileNet V1.

  Args:
    is_training: whether batch normalization is in training mode; None to
      leave it to `mobilenet_v1` or to an outer scope.
    weight_decay: coefficient of L2 regularization of the weights.
    stddev: standard deviation of the truncated normal initializer.
    regularize_depthwise: whether to regularize depthwise weights too.
    batch_norm_decay: decay of the moving averages.
    batch_norm_epsilon: added to the variance.
    batch_norm_updates_collections: collection of the update ops of the moving
      averages.
    normalizer_fn: normalization of every layer.
  """
  mode = {} if is_training is None else {'is_training': is_training}
  regularizer = slim.l2_regularizer(weight_decay)
  with slim.arg_scope(
      [slim.conv2d, slim.separable_conv2d],
      weights_initializer=tf.truncated_normal_initializer(stddev=stddev),
      weights_regularizer=regularizer, activation_fn=tf.nn.relu6,
      normalizer_fn=normalizer_fn):
    with slim.arg_scope(
        [slim.batch_norm], center=True, scale=True, decay=batch_norm_decay,
        epsilon=batch_norm_epsilon,
        updates_collections=batch_norm_updates_collections, **mode):
      with slim.arg_scope(
          [slim.separable_conv2d], weights_regularizer=(
              regularizer if regularize_depthwise else None)) as scope:
        return scope
