"""A trained network gets new classes: its features, a new layer, two stages.

  python -m examples.lessons.trained.new_classifier

num_classes=None builds resnet_v1_50 up to its pooled features, 2,048 numbers an
image. All its variables are restored; the new layer, in the scope Predict, is
not in the file and keeps its own first values. Stage 1 trains Predict alone,
stage 2 everything, from where stage 1 ended. (The file here has random weights,
as if they were trained.)
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

_NETWORK, _SIZE, _BATCH = 'resnet_v1_50', 32, 8
CLASSES = 3


def features_of(images):
  """Returns float32 [batch, 2048], and the end points."""
  network = nets_factory.get_network_fn(
      _NETWORK, None, weight_decay=1e-4, is_training=False)
  net, end_points = network(images)
  return tf.squeeze(net, [1, 2]), end_points


def _build(images):
  """Builds the network as `lesson.save_network` wants it."""
  with slim.arg_scope(resnet_v1.resnet_arg_scope(batch_norm_decay=0.0)):
    resnet_v1.resnet_v1_50(images, None, is_training=True)


def _equal_layers(session, checkpoint):
  """Returns how many variables of the graph are those of the file."""
  reader = tf.train.NewCheckpointReader(checkpoint)
  values = session.run({
      variable.op.name: variable for variable in slim.get_model_variables()
      if reader.has_tensor(variable.op.name)})
  return sum(np.array_equal(value, reader.get_tensor(name))
             for name, value in values.items())


def run(flags):
  """Restores, trains both stages; returns what changed in each."""
  checkpoint = lesson.save_network(lesson.path(flags, 'resnet.ckpt'), _build)
  images, labels = lesson.wide_digits(count=400, classes=CLASSES)
  inputs = tf.placeholder(tf.float32, [None, _SIZE, _SIZE, 3])
  targets = tf.placeholder(tf.int64, [None])
  features, end_points = features_of(inputs)
  backbone = tf.trainable_variables()
  logits = slim.fully_connected(
      features, CLASSES, activation_fn=None, scope='Predict')
  loss = tf.losses.sparse_softmax_cross_entropy(targets, logits)
  head = tf.trainable_variables('Predict')
  stages = [tf.train.AdamOptimizer(rate).minimize(
      loss, var_list=variables) for rate, variables in (
          (0.001, head), (0.00002, backbone + head))]
  # The new layer is simply missing in the file.
  restore = slim.assign_from_checkpoint_fn(
      checkpoint, slim.get_variables_to_restore(), ignore_missing_vars=True)
  results, losses = {}, []
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    restore(session)
    results['layers_restored'] = _equal_layers(session, checkpoint)
    order = lesson.batches(_BATCH, len(labels), flags.seed)
    for number, stage in enumerate(stages, 1):
      before = session.run([backbone, head])
      for _, batch in zip(range(flags.steps), order):
        losses.append(float(session.run([loss, stage], {
            inputs: images[batch], targets: labels[batch]})[0]))
      after = session.run([backbone, head])
      results['stage_%d' % number] = 'network %s, head %s' % tuple(
          'changed' if any((old != new).any() for old, new in zip(*values))
          else 'kept' for values in zip(before, after))
  picture = lesson.path(flags, 'loss.png')
  lesson.draw_curves(picture, {
      'loss': losses, 'its moving average': lesson.averaged(losses)},
                     'Head first, then everything')
  return dict(results, features=str(features.shape.as_list()[1:]),
              parameters=sum(v.shape.num_elements() for v in backbone),
              end_points=len(end_points), picture=picture)


if __name__ == '__main__':
  lesson.main(run, flags_)
