"""A trained ResNet-50 gets classes of its own, in two stages.

  python -m examples.lessons.trained.retrain_resnet

The network is built with the new number of classes. A Saver over all variables
but those of resnet_v1_50/logits restores the trained ones; the rest is
initialized. Stage 1 trains the logits alone, at a high learning rate; stage 2,
from where stage 1 ended, everything at a lower one. Without code:

  python train_image_classifier.py --model_name=resnet_v1_50 \\
      --checkpoint_path=resnet_v1_50.ckpt --train_dir=head \\
      --checkpoint_exclude_scopes=resnet_v1_50/logits \\
      --trainable_scopes=resnet_v1_50/logits ...
  python train_image_classifier.py --model_name=resnet_v1_50 \\
      --checkpoint_path=head --train_dir=all --learning_rate=0.001 ...

Batch normalization and weight decay come from the network's arg_scope, which
`get_network_fn` opens; is_training=False keeps the moving averages. (The file
here has random weights, as if they were trained.) The picture shows filters of
the first layer, which stage 1 keeps, and how stage 2 changes them.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=15))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson
from nets import nets_factory
from nets import resnet_v1

_NETWORK, _LOGITS = 'resnet_v1_50', 'resnet_v1_50/logits'
_SIZE, _BATCH, _CLASSES = 32, 8, 3


def logits_of(images):
  """Returns logits, float32 [batch, 3], of images [batch, 32, 32, 3]."""
  network = nets_factory.get_network_fn(
      _NETWORK, _CLASSES, weight_decay=1e-4, is_training=False)
  return network(images)[0]


def _build(images):
  """Builds the network as `lesson.save_network` wants it."""
  with slim.arg_scope(resnet_v1.resnet_arg_scope(batch_norm_decay=0.0)):
    resnet_v1.resnet_v1_50(images, _CLASSES, is_training=True)


def run(flags):
  """Trains both stages; returns what each kept of the file, bit for bit."""
  checkpoint = lesson.save_network(lesson.path(flags, 'resnet.ckpt'), _build)
  images, labels = lesson.wide_digits(count=400, classes=_CLASSES)
  inputs = tf.placeholder(tf.float32, [None, _SIZE, _SIZE, 3])
  targets = tf.placeholder(tf.int64, [None])
  loss = tf.losses.sparse_softmax_cross_entropy(
      targets, logits_of(inputs))
  head = tf.trainable_variables(_LOGITS)
  kept = [variable for variable in tf.global_variables()
          if not variable.op.name.startswith(_LOGITS + '/')]
  stages = [tf.train.AdamOptimizer(rate).minimize(
      loss, var_list=variables) for rate, variables in (
          (0.01, head), (0.0001, tf.trainable_variables()))]
  feeds = [{inputs: images[batch], targets: labels[batch]} for batch, _ in zip(
      lesson.batches(_BATCH, len(labels), flags.seed), range(2 * flags.steps))]
  reader = tf.train.NewCheckpointReader(checkpoint)
  results, filters = {'layers_restored': len(kept)}, []
  with tf.Session() as session:
    # Initialize what the file must not give, then restore the rest.
    session.run(tf.global_variables_initializer())
    tf.train.Saver(kept).restore(session, checkpoint)
    first = session.run(head)
    results['logits_are_those_of_the_file'] = np.array_equal(
        first[0], reader.get_tensor(head[0].op.name))
    for number, stage in enumerate(stages, 1):
      filters.append(_first_filters(session))
      for feed in feeds[(number - 1) * flags.steps:number * flags.steps]:
        results['loss'] = float(session.run([loss, stage], feed)[0])
      values, now = session.run([kept, head])
      results['stage_%d_keeps' % number] = sum(
          np.array_equal(value, reader.get_tensor(variable.op.name))
          for value, variable in zip(values, kept))
      results['stage_%d_changes_logits' % number] = not np.array_equal(
          first[0], now[0])
    filters.append(_first_filters(session))
  return dict(results, picture=_draw(flags, filters))


def _first_filters(session):
  """Returns the first ten filters of the first layer, [10, 7, 7, 3]."""
  return session.run(tf.trainable_variables(_NETWORK + '/conv1')[0]).transpose(
      3, 0, 1, 2)[:10]


def _draw(flags, filters):
  """Draws filters and their change; returns the path of the picture."""
  start, after_1, after_2 = filters
  largest, change = np.abs(start).max(), np.abs(after_2 - start).max() or 1e-9
  picture = lesson.path(flags, 'filters.png')
  lesson.draw_rows(picture, [
      (caption, [np.kron(image / 2 + 0.5, np.ones([8, 8, 1]))
                 for image in images])
      for caption, images in (
          ('filters of the first layer, as in the file', start / largest),
          ('what stage 1, logits alone, changes in them',
           (after_1 - start) / change),
          ('what stage 2, everything, changes, enlarged %.0f times' % (
              largest / change), (after_2 - start) / change))], scale=1)
  return picture


if __name__ == '__main__':
  lesson.main(run, flags_)
