"""I3D: Inception V1 inflated to three dimensions, for video.

J. Carreira, A. Zisserman: Quo vadis, action recognition? A new model and the
Kinetics dataset, https://arxiv.org/abs/1705.07750.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import i3d_utils

# Shared with s3dg, which has other defaults.
i3d_arg_scope = i3d_utils.i3d_arg_scope


@contrib_scopes.reach
def i3d_base(inputs, final_endpoint='Mixed_5c', scope='InceptionV1'):
  """Builds I3D up to a layer.

  Args:
    inputs: float32 [batch, frames, height, width, channels].
    final_endpoint: the last layer built, a name in `i3d_utils.END_POINTS`.
    scope: variable scope.

  Returns:
    net: output of the last layer, float32
      [batch, frames', height', width', filters]; of Mixed_5c
      [batch, frames / 8, height / 32, width / 32, 1024], rounded up.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: `final_endpoint` is unknown, or `inputs` does not have five
      dimensions.
  """
  return i3d_utils.inception_v1_base(
      inputs, final_endpoint, scope, first_conv={'kernel_size': [7, 7, 7]})


@contrib_scopes.reach
def i3d(inputs, num_classes=1000, dropout_keep_prob=0.8, is_training=True,
        prediction_fn=slim.softmax, spatial_squeeze=True, reuse=None,
        scope='InceptionV1'):
  """Builds I3D.

  Args:
    inputs: float32 [batch, frames, height, width, channels], published with
      64 frames of 224 x 224 pixels. Larger images need
      `spatial_squeeze=False`.
    num_classes: number of classes; None or 0 to return features instead.
    dropout_keep_prob: fraction of features kept by dropout.
    is_training: whether dropout and batch normalization are in training mode.
    prediction_fn: function from logits to predictions.
    spatial_squeeze: whether to remove height and width of the logits.
    reuse: whether to reuse the variables of `scope`.
    scope: variable scope.

  Returns:
    net: float32 logits [batch, num_classes], averaged over time;
      [batch, height', width', num_classes] unless squeezed; features
      [batch, frames', height', width', 1024] without classes.
    end_points: dict from layer name to tensor, with Logits and Predictions.

  Raises:
    ValueError: an argument is invalid.
  """
  with tf.variable_scope(
      scope, 'InceptionV1', [inputs], reuse=reuse) as scope, slim.arg_scope(
          [slim.batch_norm, slim.dropout], is_training=is_training):
    net, end_points = i3d_base(inputs, scope=scope)
    net = i3d_utils.classify(
        net, end_points, num_classes, dropout_keep_prob, prediction_fn,
        spatial_squeeze)
  return net, end_points


i3d.default_image_size = 224
