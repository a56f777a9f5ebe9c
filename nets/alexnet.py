"""AlexNet v2.

A. Krizhevsky: One weird trick for parallelizing convolutional neural networks
(2014), https://arxiv.org/abs/1404.5997; one column, without the local response
normalization of the first AlexNet.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import layer_utils
from nets import sequential
from nets.sequential import conv
from nets.sequential import DENSE
from nets.sequential import dropout
from nets.sequential import LOGITS
from nets.sequential import max_pool

trunc_normal = layer_utils.trunc_normal

_LAYERS = [
    conv('conv1', 64, 11, stride=4, padding='VALID'),
    max_pool('pool1', 3),
    conv('conv2', 192, 5),
    max_pool('pool2', 3),
    conv('conv3', 384, 3),
    conv('conv4', 384, 3),
    conv('conv5', 256, 3),
    max_pool('pool5', 3),
    conv('fc6', 4096, 5, padding='VALID', **DENSE),
    dropout('dropout6'),
    conv('fc7', 4096, 1, **DENSE),
]
_ALEXNET_V2 = sequential.Network(
    'alexnet_v2', min_size=195, layers=_LAYERS, logits=LOGITS)


def alexnet_v2(inputs, num_classes=1000, is_training=True,
               dropout_keep_prob=0.5, spatial_squeeze=True, scope='alexnet_v2',
               global_pool=False):
  """Builds AlexNet v2.

  Args:
    inputs: float32 [batch, height, width, channels], 195x195 or larger. Images
      of 195 to 226 pixels give logits of 1x1; 224 is the designed size.
    num_classes: number of classes; None or 0 to return features instead.
    is_training: whether dropout is active.
    dropout_keep_prob: fraction of features kept by dropout, in (0, 1].
    spatial_squeeze: whether to remove height and width of the logits, which
      must be 1.
    scope: variable scope.
    global_pool: whether to average the features over the image before the
      logits, so that images of any size give one vector of logits.

  Returns:
    net: float32 logits [batch, num_classes], or [batch, h, w, num_classes] if
      not squeezed, or features [batch, h, w, 4096].
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the images are too small, or the logits cannot be squeezed.
  """
  return sequential.build(
      _ALEXNET_V2, inputs, num_classes, is_training, dropout_keep_prob,
      spatial_squeeze, global_pool, scope)


alexnet_v2.default_image_size = 224


def alexnet_v2_arg_scope(weight_decay=0.0005):
  """Returns the argument scope of AlexNet v2.

  Args:
    weight_decay: coefficient of L2 regularization of all weights.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected], activation_fn=tf.nn.relu,
      biases_initializer=tf.constant_initializer(0.1),
      weights_regularizer=slim.l2_regularizer(weight_decay)):
    with slim.arg_scope([slim.conv2d], padding='SAME'):
      with slim.arg_scope([slim.max_pool2d], padding='VALID') as scope:
        return scope
