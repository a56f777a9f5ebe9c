"""AlexNet v2.

A. Krizhevsky: One weird trick for parallelizing convolutional neural networks
(2014), https://arxiv.org/abs/1404.5997; one column, without the local response
normalization of the first AlexNet.
"""
import tensorflow.compat.v1 as tf

from nets import layer_utils
from nets import sequential

trunc_normal = layer_utils.trunc_normal

_LAYERS = [
    sequential.conv('conv1', 64, 11, stride=4, padding='VALID'),           # 54 x 54 x 64
    sequential.max_pool('pool1', 3),                                       # 26 x 26 x 64
    sequential.conv('conv2', 192, 5),                                      # 26 x 26 x 192
    sequential.max_pool('pool2', 3),                                       # 12 x 12 x 192
    sequential.conv('conv3', 384, 3),                                      # 12 x 12 x 384
    sequential.conv('conv4', 384, 3),                                      # 12 x 12 x 384
    sequential.conv('conv5', 256, 3),                                      # 12 x 12 x 256
    sequential.max_pool('pool5', 3),                                       # 5 x 5 x 256
    sequential.conv('fc6', 4096, 5, padding='VALID', **sequential.DENSE),  # 1 x 1 x 4096
    sequential.dropout('dropout6'),
    sequential.conv('fc7', 4096, 1, **sequential.DENSE),                   # 1 x 1 x 4096
]
_ALEXNET_V2 = sequential.Network(
    'alexnet_v2', min_size=195, layers=_LAYERS, logits=sequential.LOGITS)


def alexnet_v2(inputs, num_classes=1000, is_training=True,
               dropout_keep_prob=0.5, spatial_squeeze=True, scope='alexnet_v2',
               global_pool=False):
  """Builds AlexNet v2.

  Arguments that are not listed, results and errors are those of `vgg.vgg_16`.

  Args:
    inputs: float32 [batch, height, width, channels], 195x195 or larger. Images
      of 195 to 226 pixels give logits of 1x1; designed for 224.
  """
  return sequential.build(
      _ALEXNET_V2, inputs, num_classes, is_training, dropout_keep_prob,
      spatial_squeeze, global_pool, scope)


alexnet_v2.default_image_size = 224


def alexnet_v2_arg_scope(weight_decay=0.0005):
  """Returns the argument scope of AlexNet v2; see `vgg.vgg_arg_scope`."""
  return sequential.arg_scope(
      weight_decay, tf.constant_initializer(0.1), padding='VALID')
