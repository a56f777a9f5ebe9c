"""OverFeat, the fast model.

P. Sermanet, D. Eigen, X. Zhang, M. Mathieu, R. Fergus, Y. LeCun: OverFeat:
Integrated recognition, localization and detection using convolutional networks
(2013), https://arxiv.org/abs/1312.6229.
"""
import tensorflow.compat.v1 as tf

from nets import layer_utils
from nets import sequential

trunc_normal = layer_utils.trunc_normal

_LAYERS = [
    sequential.conv('conv1', 64, 11, stride=4, padding='VALID'),           # 56 x 56 x 64
    sequential.max_pool('pool1', 2),                                       # 28 x 28 x 64
    sequential.conv('conv2', 256, 5, padding='VALID'),                     # 24 x 24 x 256
    sequential.max_pool('pool2', 2),                                       # 12 x 12 x 256
    sequential.conv('conv3', 512, 3),                                      # 12 x 12 x 512
    sequential.conv('conv4', 1024, 3),                                     # 12 x 12 x 1024
    sequential.conv('conv5', 1024, 3),                                     # 12 x 12 x 1024
    sequential.max_pool('pool5', 2),                                       # 6 x 6 x 1024
    sequential.conv('fc6', 3072, 6, padding='VALID', **sequential.DENSE),  # 1 x 1 x 3072
    sequential.dropout('dropout6'),
    sequential.conv('fc7', 4096, 1, **sequential.DENSE),                   # 1 x 1 x 4096
]
_OVERFEAT = sequential.Network(
    'overfeat', min_size=231, layers=_LAYERS, logits=sequential.LOGITS)


def overfeat(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5,
             spatial_squeeze=True, scope='overfeat', global_pool=False):
  """Builds OverFeat.

  Arguments that are not listed, results and errors are those of `vgg.vgg_16`.

  Args:
    inputs: float32 [batch, height, width, channels], 231x231 or larger. Images
      of 231 to 262 pixels give logits of 1x1; designed for 231.
  """
  return sequential.build(
      _OVERFEAT, inputs, num_classes, is_training, dropout_keep_prob,
      spatial_squeeze, global_pool, scope)


overfeat.default_image_size = 231


def overfeat_arg_scope(weight_decay=0.0005):
  """Returns the argument scope of OverFeat; see `vgg.vgg_arg_scope`."""
  return sequential.arg_scope(
      weight_decay, tf.zeros_initializer(), padding='VALID')
