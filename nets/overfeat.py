"""OverFeat, the fast model.

P. Sermanet, D. Eigen, X. Zhang, M. Mathieu, R. Fergus, Y. LeCun: OverFeat:
Integrated recognition, localization and detection using convolutional networks
(2013), https://arxiv.org/abs/1312.6229.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets.alexnet import build
from nets.alexnet import conv
from nets.alexnet import DENSE
from nets.alexnet import dropout
from nets.alexnet import LOGITS
from nets.alexnet import max_pool
from nets.alexnet import Network

_OVERFEAT = Network('overfeat', least_side=231, logits=LOGITS, layers=(
    conv('conv1', 64, 11, stride=4, padding='VALID'),
    max_pool('pool1', 2),
    conv('conv2', 256, 5, padding='VALID'),
    max_pool('pool2', 2),
    conv('conv3', 512, 3),
    conv('conv4', 1024, 3),
    conv('conv5', 1024, 3),
    max_pool('pool5', 2),
    conv('fc6', 3072, 6, padding='VALID', **DENSE),
    dropout('dropout6'),
    conv('fc7', 4096, 1, **DENSE),
))


def overfeat(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5,
             spatial_squeeze=True, scope='overfeat', global_pool=False):
  """Builds OverFeat.

  Args:
    inputs: float32 [batch, height, width, channels], 231x231 or larger. Sides
      of 231 to 262 give logits of 1x1; the network was designed for 231.
    num_classes: width of the logits; None or 0 for the features before them.
    is_training: whether dropout is active.
    dropout_keep_prob: share of the features kept by dropout, in (0, 1].
    spatial_squeeze: whether to drop the two spatial dimensions of the logits,
      which must be of length 1.
    scope: variable scope.
    global_pool: whether to average the features over the image before the
      logits, so that any image gives one row of them.

  Returns:
    net: float32 logits [batch, num_classes], or [batch, h, w, num_classes] if
      not squeezed, or features [batch, h, w, 4096].
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the images are too small, or the logits cannot be squeezed.
  """
  return build(_OVERFEAT, inputs, num_classes, is_training, dropout_keep_prob,
               spatial_squeeze, global_pool, scope)


overfeat.default_image_size = 231


def overfeat_arg_scope(weight_decay=0.0005):
  """Returns the argument scope of OverFeat.

  Args:
    weight_decay: coefficient of the L2 regularisation of all weights.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected], activation_fn=tf.nn.relu,
      biases_initializer=tf.zeros_initializer(),
      weights_regularizer=slim.l2_regularizer(weight_decay)):
    with slim.arg_scope([slim.conv2d], padding='SAME'):
      with slim.arg_scope([slim.max_pool2d], padding='VALID') as scope:
        return scope
