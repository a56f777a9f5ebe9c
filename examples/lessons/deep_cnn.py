"""The deep convolutional network of the CIFAR-10 tutorial.

  python -m examples.lessons.deep_cnn

24x24 crops; two convolutions with local response normalization, three dense
layers; weight decay on two of them; the moving average of the weights, whose
decay grows with the step, is what is evaluated. It has 1,068,298 parameters.
Here digits in random colors stand for the photographs.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=200))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson

_BATCH, _CROP, _DECAY = 32, 24, 0.9999


def network(images, num_classes=10):
  """Returns logits of images, float32 [batch, 24, 24, 3]."""
  with slim.arg_scope([slim.conv2d, slim.fully_connected],
                      biases_initializer=tf.constant_initializer(0.1)):
    net = slim.conv2d(
        images, 64, 5, scope='conv1', weights_initializer=_normal(5e-2),
        biases_initializer=tf.zeros_initializer())
    net = slim.max_pool2d(net, 3, 2, padding='SAME', scope='pool1')
    net = _normalize(net, 'norm1')
    net = slim.conv2d(net, 64, 5, scope='conv2',
                      weights_initializer=_normal(5e-2))
    net = slim.max_pool2d(_normalize(net, 'norm2'), 3, 2, padding='SAME',
                          scope='pool2')
    net = slim.flatten(net)
    for width in (384, 192):
      net = slim.fully_connected(
          net, width, scope='local%d' % width,
          weights_initializer=_normal(0.04),
          weights_regularizer=slim.l2_regularizer(0.004))
    return slim.fully_connected(
        net, num_classes, activation_fn=None, scope='softmax_linear',
        weights_initializer=_normal(1 / 192),
        biases_initializer=tf.zeros_initializer())


def _normal(deviation):
  return tf.truncated_normal_initializer(stddev=deviation)


def _normalize(net, name):
  return tf.nn.lrn(net, 4, bias=1.0, alpha=0.001 / 9, beta=0.75, name=name)


def preprocess(image, is_training):
  """Returns one image, float32 [24, 24, 3], of mean 0 and deviation 1."""
  if is_training:
    image = tf.image.random_crop(image, [_CROP, _CROP, 3])
    image = tf.image.random_flip_left_right(image)
    image = tf.image.random_brightness(image, 63)
    image = tf.image.random_contrast(image, 0.2, 1.8)
  else:
    image = tf.image.resize_image_with_crop_or_pad(image, _CROP, _CROP)
  return tf.image.per_image_standardization(image)


def averages_at(step):
  """Returns the averages at a step: at first, their low decay follows fast."""
  return tf.train.ExponentialMovingAverage(_DECAY, step)


def colored(images, seed):
  """Returns gray images in random colors, float32 [n, 28, 28, 3], 0 to 255."""
  colors = np.random.RandomState(seed).uniform(
      0.3, 1, [len(images), 1, 1, 3]).astype(np.float32)
  return images * colors * 255


def run(flags):
  """Trains; returns the first losses and the accuracy of the averages."""
  images, labels = lesson.digits(count=2000)
  images = colored(images, flags.seed)
  data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(
      2000, seed=flags.seed).repeat().map(
          lambda image, label: (preprocess(image, True), label)).batch(_BATCH)
  iterator = tf.data.make_initializable_iterator(data)
  tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
  batch, classes = iterator.get_next()
  with tf.variable_scope('net'):
    logits = network(batch)
  cross_entropy = tf.losses.sparse_softmax_cross_entropy(classes, logits)
  step = tf.train.get_or_create_global_step()
  total_loss = tf.losses.get_total_loss()
  train = tf.train.GradientDescentOptimizer(0.1).minimize(total_loss, step)
  averages = averages_at(step)
  with tf.control_dependencies([train]):
    train = averages.apply(tf.trainable_variables())
  test, test_labels = lesson.digits('t10k', 500)
  crops = tf.map_fn(lambda image: preprocess(image, False),
                    tf.constant(colored(test, 1)))
  with tf.variable_scope('net', reuse=True):
    test_logits = network(crops)
  use_averages = [variable.assign(averages.average(variable))
                  for variable in tf.trainable_variables()]
  rows = []
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    for _ in range(flags.steps):
      rows.append(session.run([cross_entropy, total_loss, train])[:2])
    session.run(use_averages)
    found = session.run(test_logits)
  losses, totals = np.array(rows).T.tolist()
  return {'parameters': sum(v.shape.num_elements()
                            for v in tf.trainable_variables()),
          'total_loss_first': totals[0], 'loss_first': losses[0],
          'loss_last': float(np.mean(losses[-5:])),
          'averaged_accuracy': float(np.mean(
              found.argmax(axis=1) == test_labels)),
          'picture': _draw(flags, losses)}


def _draw(flags, losses):
  """Draws the loss; returns the path of the picture."""
  picture = lesson.path(flags, 'loss.png')
  lesson.draw_curves(picture, {
      'cross-entropy': losses,
      'its moving average': lesson.averaged(losses)}, 'CIFAR-10 network')
  return picture


if __name__ == '__main__':
  lesson.main(run, flags_)
