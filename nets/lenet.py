"""LeNet, in the variant that slim's users know.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to
document recognition (1998), with rectifiers, wider layers and dropout.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes


@contrib_scopes.reach
def lenet(images, num_classes=10, is_training=False, dropout_keep_prob=0.5,
          prediction_fn=slim.softmax, scope='LeNet'):
  """Builds LeNet.

  Args:
    images: float32 [batch, 28, 28, channels]. Other sizes that are known when
      the graph is built work too.
    num_classes: width of the logits; None or 0 for the features before them.
    is_training: whether dropout is active.
    dropout_keep_prob: share of the features kept by dropout.
    prediction_fn: makes predictions of logits.
    scope: variable scope.

  Returns:
    net: float32 logits [batch, num_classes], or features [batch, 1024].
    end_points: dict from layer name to tensor.
  """
  end_points = {}
  with tf.variable_scope(scope, 'LeNet', [images]):
    net = end_points['conv1'] = slim.conv2d(images, 32, [5, 5], scope='conv1')
    net = end_points['pool1'] = slim.max_pool2d(net, [2, 2], 2, scope='pool1')
    net = end_points['conv2'] = slim.conv2d(net, 64, [5, 5], scope='conv2')
    net = end_points['pool2'] = slim.max_pool2d(net, [2, 2], 2, scope='pool2')
    net = end_points['Flatten'] = slim.flatten(net)
    net = end_points['fc3'] = slim.fully_connected(net, 1024, scope='fc3')
    if not num_classes:
      return net, end_points
    net = end_points['dropout3'] = slim.dropout(
        net, dropout_keep_prob, is_training=is_training, scope='dropout3')
    logits = end_points['Logits'] = slim.fully_connected(
        net, num_classes, activation_fn=None, scope='fc4')
  # Outside the variable scope: exported graphs know this node by its bare
  # name, Predictions/Reshape_1.
  end_points['Predictions'] = prediction_fn(logits, scope='Predictions')
  return logits, end_points


lenet.default_image_size = 28


def lenet_arg_scope(weight_decay=0.0):
  """Returns the argument scope of LeNet.

  Args:
    weight_decay: coefficient of the L2 regularisation of all weights.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected],
      weights_regularizer=slim.l2_regularizer(weight_decay),
      weights_initializer=tf.truncated_normal_initializer(stddev=0.1),
      activation_fn=tf.nn.relu) as scope:
    return scope
