"""S3D-G: Inception V1 with separable 3-D convolutions and gates.

S. Xie, C. Sun, J. Huang, Z. Tu, K. Murphy: Rethinking spatiotemporal feature
learning: speed-accuracy trade-offs in video classification,
https://arxiv.org/abs/1712.04851.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import i3d_utils


def s3dg_arg_scope(weight_decay=1e-7, batch_norm_decay=0.999,
                   batch_norm_epsilon=0.001):
  """Returns the argument scope of S3D-G; see `i3d_utils.i3d_arg_scope`."""
  return i3d_utils.i3d_arg_scope(
      weight_decay, batch_norm_decay, batch_norm_epsilon, separable_conv3d=True)


def self_gating(input_tensor, scope, data_format='NDHWC'):
  """Multiplies each channel of a video by a gate computed from the whole video.

  Args:
    input_tensor: float32 [batch, frames, height, width, channels], or NCDHW;
      frames, height and width are known.
    scope: variable scope of the layer before; that of the weights is
      `scope`/self_gating.
    data_format: 'NDHWC' or 'NCDHW'.

  Returns:
    A tensor like the input, each channel multiplied by a gate in (0, 1).

  Raises:
    ValueError: frames, height or width are unknown.
  """
  scope += '/self_gating'
  shape = input_tensor.shape.as_list()
  window = [shape[data_format.index(axis)] for axis in 'DHW']
  if None in window:
    raise ValueError(
        'Gates need a known number of frames, height and width, not shape %s; '
        'give the inputs a static shape or pass gating_startat=None.' % shape)
  gates = slim.avg_pool3d(
      input_tensor, window, stride=1, data_format=data_format,
      scope=scope + '/avg_pool3d')
  gates = slim.conv3d(
      gates, shape[data_format.index('C')], 1, activation_fn=None,
      normalizer_fn=None, biases_initializer=None, data_format=data_format,
      weights_initializer=tf.truncated_normal_initializer(stddev=0.01),
      scope=scope + '/transformer_W')
  return input_tensor * tf.nn.sigmoid(gates)


@contrib_scopes.reach
def s3dg_base(inputs, first_temporal_kernel_size=3,
              temporal_conv_startat='Conv2d_2c_3x3',
              gating_startat='Conv2d_2c_3x3', final_endpoint='Mixed_5c',
              min_depth=16, depth_multiplier=1.0, data_format='NDHWC',
              scope='InceptionV1'):
  """Builds S3D-G up to a layer.

  Args:
    inputs: float32 [batch, frames, height, width, channels], or NCDHW.
    first_temporal_kernel_size: frames in the kernel of the first convolution:
      1, 3, 5 or 7.
    temporal_conv_startat: the first layer with convolutions over time, a name
      in `i3d_utils.STARTS`; None for no such layer.
    gating_startat: the first layer with gates, a name in `i3d_utils.STARTS`;
      None for no such layer.
    final_endpoint: the last layer built, a name in `i3d_utils.END_POINTS`.
    min_depth: minimum number of filters of a convolution.
    depth_multiplier: factor of the number of filters, above 0.
    data_format: 'NDHWC' or 'NCDHW', of the inputs and the results. With NCDHW
      batch normalization is along the width, not the channels, as in TF-Slim
      and its checkpoints, so the weights fit one width only.
      `slim.arg_scope([slim.batch_norm], data_format='NCHW')` around the call
      normalizes the channels, with the variables of NDHWC.
    scope: variable scope.

  Returns:
    net: output of the last layer, float32, in the layout `data_format`.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: an argument is invalid.
  """
  if first_temporal_kernel_size not in (1, 3, 5, 7):
    raise ValueError('first_temporal_kernel_size must be 1, 3, 5 or 7, not '
                     '%r.' % (first_temporal_kernel_size,))
  if depth_multiplier <= 0:
    raise ValueError('depth_multiplier must be greater than 0, not %r.' % (
        depth_multiplier,))
  return i3d_utils.inception_v1_base(
      inputs, final_endpoint, scope,
      # A separable layer on images of full size would be slow.
      first_conv={'kernel_size': [first_temporal_kernel_size, 7, 7],
                  'separable': False},
      temporal_conv_startat=temporal_conv_startat,
      gating_startat=gating_startat, self_gating_fn=self_gating,
      depth=lambda filters: max(int(filters * depth_multiplier), min_depth),
      data_format=data_format)


@contrib_scopes.reach
def s3dg(inputs, num_classes=1000, first_temporal_kernel_size=3,
         temporal_conv_startat='Conv2d_2c_3x3',
         gating_startat='Conv2d_2c_3x3', final_endpoint='Mixed_5c',
         min_depth=16, depth_multiplier=1.0, dropout_keep_prob=0.8,
         is_training=True, prediction_fn=slim.softmax, spatial_squeeze=True,
         reuse=None, data_format='NDHWC', scope='InceptionV1'):
  """Builds S3D-G.

  Arguments that are not listed are those of `s3dg_base`.

  Args:
    inputs: float32 [batch, frames, height, width, channels], or NCDHW,
      published with 64 frames of 224 x 224 pixels. Larger images need
      `spatial_squeeze=False`.
    num_classes, dropout_keep_prob, is_training: as for `i3d.i3d`.
    prediction_fn, spatial_squeeze, reuse: as for `i3d.i3d`.
    final_endpoint: layer before the logits, see `s3dg_base`.

  Returns:
    What `i3d.i3d` does.

  Raises:
    ValueError: an argument is invalid.
  """
  with tf.variable_scope(
      scope, 'InceptionV1', [inputs], reuse=reuse) as scope, slim.arg_scope(
          [slim.batch_norm, slim.dropout], is_training=is_training):
    net, end_points = s3dg_base(
        inputs, first_temporal_kernel_size, temporal_conv_startat,
        gating_startat, final_endpoint, min_depth, depth_multiplier,
        data_format, scope)
    net = i3d_utils.classify(
        net, end_points, num_classes, dropout_keep_prob, prediction_fn,
        spatial_squeeze, data_format)
  return net, end_points


s3dg.default_image_size = 224
