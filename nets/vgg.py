"""VGG with 11, 16 and 19 layers: the configurations A, D and E.

K. Simonyan, A. Zisserman: Very deep convolutional networks for large-scale
image recognition (2014), https://arxiv.org/abs/1409.1556.
"""
import tensorflow.compat.v1 as tf

from nets import layer_utils
from nets import sequential

trunc_normal = layer_utils.trunc_normal

# Convolutions in each of the five blocks.
_A = (1, 1, 2, 2, 2)
_D = (2, 2, 3, 3, 3)
_E = (2, 2, 4, 4, 4)
# Minimum height and width: five poolings halve them, then 'VALID' needs the
# whole 7x7 kernel of fc6 inside.
_MIN_SIZES = {'VALID': 224, 'SAME': 32}


def _layers(counts, fc_conv_padding):
  """Returns the rows of a network with these numbers of convolutions."""
  return [
      sequential.convs('conv1', counts[0], 64, 3),               # 224 x 224 x 64
      sequential.max_pool('pool1', 2),                           # 112 x 112 x 64
      sequential.convs('conv2', counts[1], 128, 3),              # 112 x 112 x 128
      sequential.max_pool('pool2', 2),                           # 56 x 56 x 128
      sequential.convs('conv3', counts[2], 256, 3),              # 56 x 56 x 256
      sequential.max_pool('pool3', 2),                           # 28 x 28 x 256
      sequential.convs('conv4', counts[3], 512, 3),              # 28 x 28 x 512
      sequential.max_pool('pool4', 2),                           # 14 x 14 x 512
      sequential.convs('conv5', counts[4], 512, 3),              # 14 x 14 x 512
      sequential.max_pool('pool5', 2),                           # 7 x 7 x 512
      sequential.conv('fc6', 4096, 7, padding=fc_conv_padding),  # 1 x 1 x 4096
      sequential.dropout('dropout6'),
      sequential.conv('fc7', 4096, 1),                           # 1 x 1 x 4096
  ]


def _build(name, counts, fc_conv_padding, *args, **kwargs):
  if fc_conv_padding not in _MIN_SIZES:
    raise ValueError("fc_conv_padding must be 'VALID' or 'SAME', given %r." % (
        fc_conv_padding,))
  network = sequential.Network(
      name, _MIN_SIZES[fc_conv_padding], _layers(counts, fc_conv_padding),
      logits={})
  return sequential.build(network, *args, **kwargs)


def vgg_a(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5,
          spatial_squeeze=True, reuse=None, scope='vgg_a',
          fc_conv_padding='VALID', global_pool=False):
  """Builds VGG of 11 layers, configuration A; see `vgg_16`."""
  return _build('vgg_a', _A, fc_conv_padding, inputs, num_classes, is_training,
                dropout_keep_prob, spatial_squeeze, global_pool, scope, reuse)


def vgg_16(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5,
           spatial_squeeze=True, reuse=None, scope='vgg_16',
           fc_conv_padding='VALID', global_pool=False):
  """Builds VGG of 16 layers, configuration D.

  Args:
    inputs: float32 [batch, height, width, channels], 224x224 or larger (32x32
      with `fc_conv_padding='SAME'`). Images of 224 to 255 pixels give logits
      of 1x1; designed for 224.
    num_classes: number of classes; None or 0 to return features instead.
    is_training: whether dropout is active.
    dropout_keep_prob: fraction of features kept by dropout, in (0, 1].
    spatial_squeeze: whether to remove height and width of the logits, which
      must be 1.
    reuse: whether to reuse the variables of an earlier call.
    scope: variable scope.
    fc_conv_padding: 'VALID' for classification, or 'SAME' for a map of logits
      of the size of the input divided by 32.
    global_pool: whether to average the features over the image before the
      logits, so that images of any size give one vector of logits.

  Returns:
    net: float32 logits [batch, num_classes], or [batch, h, w, num_classes] if
      not squeezed, or features [batch, h, w, 4096].
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the images are too small, the padding is unknown, or the logits
      cannot be squeezed.
  """
  return _build('vgg_16', _D, fc_conv_padding, inputs, num_classes, is_training,
                dropout_keep_prob, spatial_squeeze, global_pool, scope, reuse)


def vgg_19(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5,
           spatial_squeeze=True, reuse=None, scope='vgg_19',
           fc_conv_padding='VALID', global_pool=False):
  """Builds VGG of 19 layers, configuration E; see `vgg_16`."""
  return _build('vgg_19', _E, fc_conv_padding, inputs, num_classes, is_training,
                dropout_keep_prob, spatial_squeeze, global_pool, scope, reuse)


for _network in (vgg_a, vgg_16, vgg_19):
  _network.default_image_size = 224
# The letters of the paper.
vgg_d = vgg_16
vgg_e = vgg_19


def vgg_arg_scope(weight_decay=0.0005):
  """Returns the argument scope of the VGG networks.

  Args:
    weight_decay: coefficient of L2 regularization of all weights.
  """
  return sequential.arg_scope(weight_decay, tf.zeros_initializer())
