"""Two tasks, each image with a label of one: digits, and turned digits.

  python -m examples.lessons.two_tasks

Half of the images are digits, half are turned by 90 degrees, as if they were
another alphabet. A one-hot over all classes is sliced per task, so that an
image of one task is all 0 in the other and has the weight 0 there. The tasks
train in turns, two steps to one: a step of one leaves the other's head alone.
"""
import collections

from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=300))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson
from image_classifier.losses import multi_task

TASKS = collections.OrderedDict([('digits', 10), ('turned', 10)])
_BATCH, _RATIO = 64, [2, 1]


def load(split, count=None):
  """Returns images of both tasks, and labels in [0, 20)."""
  images, labels = lesson.digits(split, count)
  is_turned = np.arange(len(labels)) % 2 == 1
  images = np.where(is_turned[:, None, None, None],
                    np.rot90(images, axes=(1, 2)), images)
  return images, labels + 10 * is_turned


def build(images, labels):
  """Returns (losses, logits), each a dict by task."""
  net = slim.max_pool2d(slim.conv2d(images, 16, 5, scope='trunk/conv1'), 2)
  net = slim.max_pool2d(slim.conv2d(net, 32, 5, scope='trunk/conv2'), 2)
  net = slim.fully_connected(slim.flatten(net), 64, scope='trunk/fc3')
  losses, logits = {}, {}
  parts = multi_task.split_one_hot(tf.one_hot(labels, 20), TASKS)
  for task, (targets, weights) in parts.items():
    logits[task] = slim.fully_connected(
        net, TASKS[task], activation_fn=None, scope='Predict/' + task)
    losses[task] = multi_task.softmax_task_loss(logits[task], targets, weights)
  return losses, logits


def run(flags):
  """Trains in turns; returns the accuracy of each task."""
  images, labels = load('train')
  inputs = tf.placeholder(tf.float32, [None, 28, 28, 1])
  targets = tf.placeholder(tf.int64, [None])
  losses, logits = build(inputs, targets)
  steps = multi_task.train_ops(losses, tf.train.AdamOptimizer(0.002), {
      task: 'Predict/' + task for task in TASKS})
  curves = {task: [] for task in TASKS}
  heads = {task: tf.trainable_variables('Predict/' + task) for task in TASKS}
  calls = collections.Counter()
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    order = lesson.batches(_BATCH, len(labels), flags.seed)
    turns = multi_task.turns(_RATIO, list(TASKS))
    for _, (task,), batch in zip(range(flags.steps), turns, order):
      feeds = {inputs: images[batch], targets: labels[batch]}
      before = session.run(heads)
      values, _ = session.run([losses, steps[task]], feeds)
      calls.update(
          name for name, after in session.run(heads).items()
          if any((old != new).any() for old, new in zip(before[name], after)))
      for name, value in values.items():
        curves[name].append(float(value))
    test_images, test_labels = load('t10k')
    found = session.run(logits, {inputs: test_images})
  picture = lesson.path(flags, 'losses.png')
  lesson.draw_curves(picture, curves, 'Two tasks in turns, 2 to 1')
  results = {'steps_that_changed_%s' % task: calls[task] for task in TASKS}
  correct = 0
  for number, task in enumerate(TASKS):
    own = test_labels // 10 == number
    is_right = found[task][own].argmax(axis=1) == test_labels[own] % 10
    results[task + '_accuracy'] = float(np.mean(is_right))
    correct += is_right.sum()
  results['accuracy'] = float(correct / len(test_labels))
  return dict(results, picture=picture)


if __name__ == '__main__':
  lesson.main(run, flags_)
