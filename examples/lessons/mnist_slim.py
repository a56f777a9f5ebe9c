"""A classifier in one file: the four steps that every training has.

  python -m examples.lessons.mnist_slim

1. Input: batches of images and labels.
2. Model: slim's layers, with an arg_scope for what they share.
3. Loss and optimizer: create_train_op also runs the updates of layers.
4. Loop: run the train op, then save and evaluate on digits not trained on.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=200))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson

_BATCH = 50


def make_input(images, labels, seed):
  """Step 1: returns (images, labels) tensors, another batch in every run."""
  data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(
      len(labels), seed=seed).repeat().batch(_BATCH)
  iterator = tf.data.make_initializable_iterator(data)
  tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
  return iterator.get_next()


def make_model(images):
  """Step 2: returns logits, float32 [batch, 10]."""
  with slim.arg_scope([slim.conv2d, slim.fully_connected],
                      weights_regularizer=slim.l2_regularizer(1e-4)):
    with tf.variable_scope('Digits', reuse=tf.AUTO_REUSE):
      net = slim.max_pool2d(slim.conv2d(images, 16, 5, scope='conv1'), 2)
      net = slim.max_pool2d(slim.conv2d(net, 32, 5, scope='conv2'), 2)
      net = slim.fully_connected(slim.flatten(net), 64, scope='fc3')
      return slim.fully_connected(net, 10, activation_fn=None, scope='logits')


def make_train_op(logits, labels):
  """Step 3: returns an operation whose value is the loss."""
  tf.losses.sparse_softmax_cross_entropy(labels, logits)
  return slim.learning.create_train_op(
      tf.losses.get_total_loss(), tf.train.AdamOptimizer(0.002))


def run(flags):
  """Step 4: trains, saves, evaluates."""
  images, labels = make_input(*lesson.digits(), seed=flags.seed)
  train_op = make_train_op(make_model(images), labels)
  test_images, test_labels = lesson.digits('t10k')
  test_logits = make_model(tf.constant(test_images))
  saver = tf.train.Saver()
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    before = session.run(test_logits)
    losses = [float(session.run(train_op)) for _ in range(flags.steps)]
    logits = session.run(test_logits)
    checkpoint = saver.save(session, lesson.path(flags, 'model.ckpt'),
                            tf.train.get_global_step())
  lesson.draw_curves(lesson.path(flags, 'loss.png'), {'loss': losses},
                     'Loss of %d steps' % flags.steps)
  return {'accuracy_before': _accuracy(before, test_labels),
          'accuracy': _accuracy(logits, test_labels),
          'loss_first': float(np.mean(losses[:5])),
          'loss_last': float(np.mean(losses[-5:])),
          'checkpoint': checkpoint, 'picture': lesson.path(flags, 'loss.png')}


def _accuracy(logits, labels):
  return float(np.mean(logits.argmax(axis=1) == labels))


if __name__ == '__main__':
  lesson.main(run, flags_)
