"""LeNet, in the variant of TF-Slim.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to
document recognition (1998), with rectifiers, wider layers and dropout.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import sequential

_LAYERS = [
    sequential.conv('conv1', 32, 5),  # 28 x 28 x 32
    sequential.max_pool('pool1', 2),  # 14 x 14 x 32
    sequential.conv('conv2', 64, 5),  # 14 x 14 x 64
    sequential.max_pool('pool2', 2),  # 7 x 7 x 64
    sequential.flatten('Flatten'),    # 3136
    sequential.dense('fc3', 1024),    # 1024
]


@contrib_scopes.reach
def lenet(images, num_classes=10, is_training=False, dropout_keep_prob=0.5,
          prediction_fn=slim.softmax, scope='LeNet'):
  """Builds LeNet.

  Args:
    images: float32 [batch, 28, 28, channels]. Other sizes that are known when
      the graph is built work too.
    num_classes: number of classes; None or 0 to return features instead.
    is_training: whether dropout is active.
    dropout_keep_prob: fraction of features kept by dropout.
    prediction_fn: function from logits to predictions.
    scope: variable scope.

  Returns:
    net: float32 logits [batch, num_classes], or features [batch, 1024].
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the size of the images is unknown.
  """
  layer_utils.check_nhwc('lenet')
  layer_utils.check_static_size(images, 'lenet')
  with tf.variable_scope(scope, 'LeNet', [images]):
    net, end_points = sequential.chain(images, _LAYERS)
    if not num_classes:
      return net, end_points
    net = end_points['dropout3'] = slim.dropout(
        net, dropout_keep_prob, is_training=is_training, scope='dropout3')
    logits = end_points['Logits'] = slim.fully_connected(
        net, num_classes, activation_fn=None, scope='fc4')
  # Outside the variable scope: exported graphs have this node under the name
  # Predictions/Reshape_1.
  end_points['Predictions'] = prediction_fn(logits, scope='Predictions')
  return logits, end_points


lenet.default_image_size = 28


def lenet_arg_scope(weight_decay=0.0):
  """Returns the argument scope of LeNet.

  Args:
    weight_decay: coefficient of L2 regularization of all weights.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected],
      weights_regularizer=slim.l2_regularizer(weight_decay),
      weights_initializer=tf.truncated_normal_initializer(stddev=0.1),
      activation_fn=tf.nn.relu) as scope:
    return scope
