"""VGG with 11, 16 and 19 layers: the configurations A, D and E.

K. Simonyan, A. Zisserman: Very deep convolutional networks for large-scale
image recognition (2014), https://arxiv.org/abs/1409.1556.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets.alexnet import build
from nets.alexnet import conv
from nets.alexnet import dropout
from nets.alexnet import max_pool
from nets.alexnet import Network

_DEPTHS = (64, 128, 256, 512, 512)  # of the five blocks of convolutions
# The smallest images: five poolings halve the side, then 'VALID' wants the
# whole 7x7 kernel of fc6 inside.
_LEAST_SIDES = {'VALID': 224, 'SAME': 32}


def _layers(convolutions, fc_conv_padding):
  """Returns the rows of a network with that many convolutions in each block."""
  layers = []
  for block, count in enumerate(convolutions, 1):
    for i in range(1, count + 1):
      layers.append(conv('conv%d/conv%d_%d' % (block, block, i),
                         _DEPTHS[block - 1], 3))
    layers.append(max_pool('pool%d' % block, 2))
  return layers + [
      conv('fc6', 4096, 7, padding=fc_conv_padding),
      dropout('dropout6'),
      conv('fc7', 4096, 1),
  ]


def _network(name, convolutions):
  """Returns the function that builds the network `name`."""

  def network(inputs, num_classes=1000, is_training=True,
              dropout_keep_prob=0.5, spatial_squeeze=True, reuse=None,
              scope=name, fc_conv_padding='VALID', global_pool=False):
    """Builds the VGG network of this name.

    Args:
      inputs: float32 [batch, height, width, channels], 224x224 or larger (32x32
        with `fc_conv_padding='SAME'`). Sides of 224 to 255 give logits of 1x1;
        the network was designed for 224.
      num_classes: width of the logits; None or 0 for the features before them.
      is_training: whether dropout is active.
      dropout_keep_prob: share of the features kept by dropout, in (0, 1].
      spatial_squeeze: whether to drop the two spatial dimensions of the
        logits, which must be of length 1.
      reuse: whether to reuse the variables of an earlier call.
      scope: variable scope.
      fc_conv_padding: 'VALID' for classification, or 'SAME' for a map of
        logits as large as the input divided by 32.
      global_pool: whether to average the features over the image before the
        logits, so that any image gives one row of them.

    Returns:
      net: float32 logits [batch, num_classes], or [batch, h, w, num_classes]
        if not squeezed, or features [batch, h, w, 4096].
      end_points: dict from layer name to tensor.

    Raises:
      ValueError: the images are too small, the padding is unknown, or the
        logits cannot be squeezed.
    """
    if fc_conv_padding not in _LEAST_SIDES:
      raise ValueError("fc_conv_padding must be 'VALID' or 'SAME', given %r."
                       % (fc_conv_padding,))
    table = Network(
        name, _LEAST_SIDES[fc_conv_padding],
        _layers(convolutions, fc_conv_padding), logits={})
    return build(table, inputs, num_classes, is_training, dropout_keep_prob,
                 spatial_squeeze, global_pool, scope, reuse)

  network.__name__ = network.__qualname__ = name
  network.default_image_size = 224
  return network


vgg_a = _network('vgg_a', (1, 1, 2, 2, 2))
vgg_16 = vgg_d = _network('vgg_16', (2, 2, 3, 3, 3))
vgg_19 = vgg_e = _network('vgg_19', (2, 2, 4, 4, 4))


def vgg_arg_scope(weight_decay=0.0005):
  """Returns the argument scope of the VGG networks.

  Args:
    weight_decay: coefficient of the L2 regularisation of all weights.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected], activation_fn=tf.nn.relu,
      biases_initializer=tf.zeros_initializer(),
      weights_regularizer=slim.l2_regularizer(weight_decay)):
    with slim.arg_scope([slim.conv2d], padding='SAME') as scope:
      return scope
