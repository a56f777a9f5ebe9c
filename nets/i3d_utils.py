"""Inception V1 in three dimensions, shared by I3D and S3D-G.

The layers are rows of INCEPTION_V1; `inception_v1_base` builds them and
`classify` adds logits. The names of the layers are those of the
two-dimensional network, although the kernels have three dimensions. The comment
beside a row is the shape of its output for 64 frames of 224 x 224.
"""
import collections

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import layer_utils
from nets import normalization

Conv = collections.namedtuple('Conv', 'name depth size stride')
Pool = collections.namedtuple('Pool', 'name kernel stride')
Mixed = collections.namedtuple(
    'Mixed', 'name branch_0 branch_1 branch_2 branch_3')

INCEPTION_V1 = (
    Conv('Conv2d_1a_7x7', 64, 7, 2),                     # 32 x 112 x 112 x 64
    Pool('MaxPool_2a_3x3', [1, 3, 3], [1, 2, 2]),        # 32 x 56 x 56 x 64
    Conv('Conv2d_2b_1x1', 64, 1, 1),                     # 32 x 56 x 56 x 64
    Conv('Conv2d_2c_3x3', 192, 3, 1),                    # 32 x 56 x 56 x 192
    Pool('MaxPool_3a_3x3', [1, 3, 3], [1, 2, 2]),        # 32 x 28 x 28 x 192
    Mixed('Mixed_3b', 64, (96, 128), (16, 32), 32),      # 32 x 28 x 28 x 256
    Mixed('Mixed_3c', 128, (128, 192), (32, 96), 64),    # 32 x 28 x 28 x 480
    Pool('MaxPool_4a_3x3', [3, 3, 3], [2, 2, 2]),        # 16 x 14 x 14 x 480
    Mixed('Mixed_4b', 192, (96, 208), (16, 48), 64),     # 16 x 14 x 14 x 512
    Mixed('Mixed_4c', 160, (112, 224), (24, 64), 64),    # 16 x 14 x 14 x 512
    Mixed('Mixed_4d', 128, (128, 256), (24, 64), 64),    # 16 x 14 x 14 x 512
    Mixed('Mixed_4e', 112, (144, 288), (32, 64), 64),    # 16 x 14 x 14 x 528
    Mixed('Mixed_4f', 256, (160, 320), (32, 128), 128),  # 16 x 14 x 14 x 832
    Pool('MaxPool_5a_2x2', [2, 2, 2], [2, 2, 2]),        # 8 x 7 x 7 x 832
    Mixed('Mixed_5b', 256, (160, 320), (32, 128), 128),  # 8 x 7 x 7 x 832
    Mixed('Mixed_5c', 384, (192, 384), (48, 128), 128))  # 8 x 7 x 7 x 1024

END_POINTS = [row.name for row in INCEPTION_V1]
# Layers where convolutions over time, or gates, may start.
STARTS = [row.name for row in INCEPTION_V1
          if isinstance(row, Mixed) or row.name == 'Conv2d_2c_3x3']


def i3d_arg_scope(weight_decay=1e-7, batch_norm_decay=0.999,
                  batch_norm_epsilon=0.001, use_renorm=False,
                  separable_conv3d=False):
  """Returns the argument scope of the video networks.

  Args:
    weight_decay: coefficient of L2 regularization of all weights.
    batch_norm_decay: decay of the moving averages of batch normalization.
    batch_norm_epsilon: added to the variance to avoid division by zero.
    use_renorm: whether to use batch renormalization.
    separable_conv3d: whether to split convolutions over space and time into
      one over space and one over time.
  """
  batch_norm_params = {
      'decay': batch_norm_decay, 'epsilon': batch_norm_epsilon,
      'fused': False, 'renorm': use_renorm,
      'variables_collections': {
          'beta': None, 'gamma': None,
          'moving_mean': ['moving_vars'], 'moving_variance': ['moving_vars']}}
  with slim.arg_scope(
      [slim.conv3d, conv3d_spatiotemporal],
      weights_regularizer=slim.l2_regularizer(weight_decay),
      activation_fn=tf.nn.relu, normalizer_fn=normalization.batch_norm,
      normalizer_params=batch_norm_params), slim.arg_scope(
          [conv3d_spatiotemporal], separable=separable_conv3d) as scope:
    return scope


def center_initializer():
  """Returns an initializer of identity kernels over time.

  The kernel is the identity at the central frame and zero elsewhere.

  Returns:
    A function of shape [odd, 1, 1, channels, channels], dtype and partition
    info, for `tf.get_variable`. It raises ValueError for other shapes.
  """

  def initialize(shape, dtype=tf.float32, partition_info=None):
    del partition_info  # The variables are not partitioned.
    shape = list(shape)
    if (len(shape) != 5 or shape[1:3] != [1, 1] or shape[0] % 2 == 0 or
        shape[3] != shape[4]):
      raise ValueError(
          'A kernel over time must have shape [odd, 1, 1, n, n], not %s.' % (
              shape,))
    kernel = np.zeros(shape)
    kernel[shape[0] // 2, 0, 0] = np.eye(shape[3])
    return tf.constant(kernel, dtype)

  return initialize


@slim.add_arg_scope
def conv3d_spatiotemporal(inputs, num_outputs, kernel_size, stride=1,
                          padding='SAME', activation_fn=None,
                          normalizer_fn=None, normalizer_params=None,
                          weights_regularizer=None, separable=False,
                          data_format='NDHWC', scope=''):
  """Convolves over space and time, in one layer or two.

  Args:
    inputs: float32 [batch, frames, height, width, channels], or NCDHW.
    num_outputs: number of filters.
    kernel_size: three ints: frames, height, width.
    stride: an int, or three.
    padding: 'SAME' or 'VALID'.
    activation_fn: activation of each convolution.
    normalizer_fn: normalization of the convolution over space; the one over
      time has biases instead.
    normalizer_params: arguments of `normalizer_fn`.
    weights_regularizer: regularizer of all weights.
    separable: whether to convolve over space, then over time. A kernel of one
      frame has no second layer.
    data_format: 'NDHWC' or 'NCDHW'.
    scope: variable scope; the layer over time is `scope`/temporal.

  Returns:
    A float32 tensor.

  Raises:
    ValueError: `kernel_size` does not have three entries.
  """
  if len(kernel_size) != 3:
    raise ValueError('kernel_size must be three ints (frames, height, '
                     'width), not %s.' % (kernel_size,))
  strides = [stride] * 3 if isinstance(stride, int) else list(stride)
  in_two = separable and kernel_size[0] != 1
  with slim.arg_scope(
      [slim.conv3d], padding=padding, activation_fn=activation_fn,
      weights_regularizer=weights_regularizer, data_format=data_format):
    net = slim.conv3d(
        inputs, num_outputs, [1 if in_two else kernel_size[0]] +
        list(kernel_size[1:]), stride=[1] + strides[1:] if in_two else strides,
        normalizer_fn=normalizer_fn, normalizer_params=normalizer_params,
        scope=scope)
    if in_two:
      net = slim.conv3d(
          net, num_outputs, [kernel_size[0], 1, 1],
          stride=[strides[0], 1, 1], normalizer_fn=None,
          weights_initializer=center_initializer(), scope=scope + '/temporal')
  return net


@slim.add_arg_scope
def inception_block_v1_3d(inputs, num_outputs_0_0a, num_outputs_1_0a,
                          num_outputs_1_0b, num_outputs_2_0a,
                          num_outputs_2_0b, num_outputs_3_0b,
                          temporal_kernel_size=3, self_gating_fn=None,
                          data_format='NDHWC', scope=''):
  """Builds an Inception V1 block in three dimensions.

  Args:
    inputs: float32 [batch, frames, height, width, channels], or NCDHW.
    num_outputs_0_0a: filters of branch 0.
    num_outputs_1_0a, num_outputs_1_0b: filters that reduce the input of
      branch 1, and those of branch 1.
    num_outputs_2_0a, num_outputs_2_0b: the same of branch 2.
    num_outputs_3_0b: filters of branch 3, after pooling.
    temporal_kernel_size: frames in the 3x3 kernels.
    self_gating_fn: function of a tensor, `scope` and `data_format`, applied
      to the result of each branch; None for none.
    data_format: 'NDHWC' or 'NCDHW'.
    scope: variable scope.

  Returns:
    A float32 tensor, the four branches concatenated.
  """
  def gate(net, name):
    if self_gating_fn is None:
      return net
    return self_gating_fn(net, scope=name, data_format=data_format)

  with tf.variable_scope(scope):
    with tf.variable_scope('Branch_0'):
      net = slim.conv3d(inputs, num_outputs_0_0a, 1, scope='Conv2d_0a_1x1')
      branches = [gate(net, 'Conv2d_0a_1x1')]
    for name, reduced, filters in (
        ('Branch_1', num_outputs_1_0a, num_outputs_1_0b),
        ('Branch_2', num_outputs_2_0a, num_outputs_2_0b)):
      with tf.variable_scope(name):
        net = slim.conv3d(inputs, reduced, 1, scope='Conv2d_0a_1x1')
        net = conv3d_spatiotemporal(
            net, filters, [temporal_kernel_size, 3, 3], scope='Conv2d_0b_3x3')
        branches.append(gate(net, 'Conv2d_0b_3x3'))
    with tf.variable_scope('Branch_3'):
      net = slim.max_pool3d(inputs, 3, scope='MaxPool_0a_3x3')
      net = slim.conv3d(net, num_outputs_3_0b, 1, scope='Conv2d_0b_1x1')
      branches.append(gate(net, 'Conv2d_0b_1x1'))
    return tf.concat(branches, data_format.index('C'))


def reduced_kernel_size_3d(input_tensor, kernel_size):
  """Returns `layer_utils.small_input_kernel` for (frames, height, width)."""
  return layer_utils.small_input_kernel(input_tensor, kernel_size)


def inception_v1_base(inputs, final_endpoint, scope, first_conv,
                      temporal_conv_startat='Conv2d_2c_3x3',
                      gating_startat=None, self_gating_fn=None, depth=int,
                      data_format='NDHWC'):
  """Builds the layers of Inception V1 in three dimensions.

  Args:
    inputs, final_endpoint, scope, data_format: as for `s3dg.s3dg_base`.
    first_conv: dict of arguments of `conv3d_spatiotemporal` for the first
      layer.
    temporal_conv_startat, gating_startat: as for `s3dg.s3dg_base`.
    self_gating_fn: function of a tensor, `scope` and `data_format`.
    depth: function from the published number of filters to the one to build.

  Returns:
    net: output of the last layer.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: a name is unknown, or the inputs do not have five dimensions.
  """
  layer_utils.check_final_endpoint(final_endpoint, END_POINTS, 'Inception V1')
  _check_start('temporal_conv_startat', temporal_conv_startat)
  _check_start('gating_startat', gating_startat)
  _check_video(inputs, data_format)
  end_points = {}
  net = inputs
  with tf.variable_scope(scope, 'InceptionV1', [inputs]), slim.arg_scope(
      _base_scope(data_format)):
    for row in INCEPTION_V1:
      frames = 3 if _reached(row.name, temporal_conv_startat) else 1
      gate = self_gating_fn if _reached(row.name, gating_startat) else None
      if isinstance(row, Conv):
        net = _conv(net, row, depth, frames, gate, first_conv, data_format)
      elif isinstance(row, Pool):
        net = slim.max_pool3d(
            net, row.kernel, stride=row.stride, scope=row.name)
      else:
        net = inception_block_v1_3d(
            net, *_depths(row, depth), temporal_kernel_size=frames,
            self_gating_fn=gate, scope=row.name)
      end_points[row.name] = net
      if row.name == final_endpoint:
        break
  return net, end_points


def _reached(name, start):
  """Returns whether layer `name` is `start` or after it."""
  return start is not None and END_POINTS.index(name) >= END_POINTS.index(start)


def _check_start(argument, name):
  if name is not None and name not in STARTS:
    raise ValueError('%s must be None or one of %s, not %r.' % (
        argument, ', '.join(STARTS), name))


def _check_video(inputs, data_format):
  """Raises ValueError unless `inputs` is a batch of videos."""
  if data_format not in ('NDHWC', 'NCDHW'):
    raise ValueError(
        "data_format must be 'NDHWC' or 'NCDHW', not %r." % (data_format,))
  if inputs.shape.rank != 5:
    raise ValueError(
        'inputs must have five dimensions (%s: batch, frames, height, width, '
        'channels), not shape %s.' % (data_format, inputs.shape))


def _base_scope(data_format):
  with slim.arg_scope(
      [slim.conv3d],
      weights_initializer=tf.truncated_normal_initializer(stddev=0.01)):
    with slim.arg_scope(
        [slim.conv3d, slim.max_pool3d, conv3d_spatiotemporal], stride=1,
        padding='SAME'):
      with slim.arg_scope(
          [slim.conv3d, slim.max_pool3d, conv3d_spatiotemporal,
           inception_block_v1_3d], data_format=data_format) as scope:
        return scope


def _depths(row, depth):
  """Returns the six numbers of filters of a block."""
  return [depth(filters) for filters in (
      (row.branch_0,) + row.branch_1 + row.branch_2 + (row.branch_3,))]


def _conv(net, row, depth, frames, gate, first_conv, data_format):
  """Adds a convolution and its gate."""
  if row.name == 'Conv2d_1a_7x7':
    return conv3d_spatiotemporal(
        net, depth(row.depth), stride=row.stride, scope=row.name, **first_conv)
  if row.size == 1:
    return slim.conv3d(net, depth(row.depth), 1, scope=row.name)
  net = conv3d_spatiotemporal(
      net, depth(row.depth), [frames, row.size, row.size], scope=row.name)
  return gate(net, scope=row.name, data_format=data_format) if gate else net


def classify(net, end_points, num_classes, dropout_keep_prob, prediction_fn,
             spatial_squeeze, data_format='NDHWC'):
  """Builds pooling, logits and predictions.

  Arguments that are not listed are those of `i3d.i3d`.

  Args:
    net: output of `inception_v1_base`.
    end_points: dict that receives Logits and Predictions.
    data_format: layout of `net`, 'NDHWC' or 'NCDHW'.

  Returns:
    float32 logits [batch, num_classes], [batch, 1, 1, num_classes] if not
    squeezed, or features [batch, frames', 1, 1, filters].

  Raises:
    ValueError: the inputs are too large for `spatial_squeeze`.
  """
  with tf.variable_scope('Logits'):
    if data_format == 'NCDHW':
      net = tf.transpose(net, [0, 2, 3, 4, 1])
    net = slim.avg_pool3d(net, reduced_kernel_size_3d(net, [2, 7, 7]),
                          stride=1, scope='AvgPool_0a_7x7')
    if not num_classes:
      return net
    net = slim.dropout(net, dropout_keep_prob, scope='Dropout_0b')
    logits = slim.conv3d(net, num_classes, 1, activation_fn=None,
                         normalizer_fn=None, scope='Conv2d_0c_1x1')
    logits = tf.reduce_mean(logits, 1)
    if spatial_squeeze:
      logits = layer_utils.squeeze(
          logits, 'spatial_squeeze=False, or frames of at most 224x224 pixels')
    end_points['Logits'] = logits
    end_points['Predictions'] = prediction_fn(logits, scope='Predictions')
  return logits
