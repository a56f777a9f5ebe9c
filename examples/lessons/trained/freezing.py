"""Four ways to keep the weights of a trained network while a head trains.

  python -m examples.lessons.trained.freezing

1. The optimizer gets the variables of the head alone (var_list).
2. tf.stop_gradient on the features: no gradient reaches the network.
3. The network's variables are made with trainable=False.
4. The network is a frozen graph: its weights are constants.

All need is_training=False in the network: batch normalization in training mode
would change its moving averages. The order matters too: initialize first, then
restore; the other way round the trained weights are lost.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=40))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson
from nets import mobilenet_v1
from nets import nets_factory

_NETWORK, _SCOPE = 'mobilenet_v1_025', 'MobilenetV1'
_SIZE, _BATCH = 32, 32
WAYS = ('var_list', 'stop_gradient', 'not_trainable', 'constants')


def features_of(images):
  """Returns the pooled features of the network, float32 [batch, 256]."""
  network = nets_factory.get_network_fn(_NETWORK, None, is_training=False)
  net, _ = network(images)
  return tf.squeeze(net, [1, 2])


def _build_backbone(images):
  """Builds the network as `lesson.save_network` wants it."""
  with slim.arg_scope(mobilenet_v1.mobilenet_v1_arg_scope(
      is_training=True, batch_norm_decay=0.0)):
    mobilenet_v1.mobilenet_v1(images, None, depth_multiplier=0.25)


def _frozen(checkpoint):
  """Returns the GraphDef of the network with its weights as constants."""
  with tf.Graph().as_default() as graph, tf.Session() as session:
    images = tf.placeholder(tf.float32, [None, _SIZE, _SIZE, 3], 'images')
    tf.identity(features_of(images), 'features')
    tf.train.Saver().restore(session, checkpoint)
    return tf.graph_util.convert_variables_to_constants(
        session, graph.as_graph_def(), ['features'])


def _build(way, images, checkpoint):
  """Returns (features, list of the variables to restore)."""
  if way == 'constants':
    features, = tf.import_graph_def(
        _frozen(checkpoint), {'images': images}, ['features:0'])
    return features, []
  with tf.variable_scope('', custom_getter=_not_trainable if (
      way == 'not_trainable') else None):
    features = features_of(images)
  restored = tf.global_variables(_SCOPE)
  if way == 'stop_gradient':
    features = tf.stop_gradient(features)
  return features, restored


def _not_trainable(getter, *arguments, **options):
  return getter(*arguments, **dict(options, trainable=False))


def train_head(way, checkpoint, steps, seed):
  """Trains a head; returns what has changed.

  Returns:
    (changed, losses): a dict {'network', 'head'} of bools, of which the first
    is whether its variables or what it makes of an image changed; the losses.
  """
  images, labels = lesson.wide_digits(count=500)
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(seed)
    inputs = tf.placeholder(tf.float32, [None, _SIZE, _SIZE, 3])
    targets = tf.placeholder(tf.int64, [None])
    features, restored = _build(way, inputs, checkpoint)
    logits = slim.fully_connected(
        features, 10, activation_fn=None, scope='finetune_layers/logits',
        weights_initializer=tf.glorot_uniform_initializer(seed))
    loss = tf.losses.sparse_softmax_cross_entropy(targets, logits)
    head = tf.trainable_variables('finetune_layers')
    step = tf.train.AdamOptimizer(0.01).minimize(
        loss, var_list=head if way == 'var_list' else None)
    # Initialize, then restore: never the other way round.
    session.run(tf.global_variables_initializer())
    if restored:
      tf.train.Saver(restored).restore(session, checkpoint)
    before = session.run([restored + [features], head], {inputs: images[:4]})
    losses = []
    for _, batch in zip(range(steps), lesson.batches(
        _BATCH, len(labels), seed)):
      losses.append(float(session.run([loss, step], {
          inputs: images[batch], targets: labels[batch]})[0]))
    after = session.run([restored + [features], head], {inputs: images[:4]})
  return {name: any((old != new).any() for old, new in zip(*values))
          for name, values in zip(('network', 'head'), zip(before, after))
         }, losses


def first_weights(checkpoint, restore_last):
  """Returns the weights of the first layer, restored last or initialized last.

  They are taken from the graph by their name, as any tensor can be.
  """
  with tf.Graph().as_default() as graph, tf.Session() as session:
    features_of(tf.zeros([1, _SIZE, _SIZE, 3]))
    steps = [lambda: session.run(tf.global_variables_initializer()),
             lambda: tf.train.Saver().restore(session, checkpoint)]
    for step in steps if restore_last else reversed(steps):
      step()
    return session.run(graph.get_tensor_by_name(
        _SCOPE + '/Conv2d_0/weights:0'))


def run(flags):
  """Trains a head in each of the four ways."""
  checkpoint = lesson.save_network(
      lesson.path(flags, 'backbone.ckpt'), _build_backbone)
  saved = tf.train.NewCheckpointReader(checkpoint).get_tensor(
      _SCOPE + '/Conv2d_0/weights')
  results, curves = {name: np.array_equal(
      first_weights(checkpoint, restore_last), saved)
                     for name, restore_last in (
                         ('restored_last_has_the_file', True),
                         ('initialized_last_has_the_file', False))}, {}
  for way in WAYS:
    changed, curves[way] = train_head(way, checkpoint, flags.steps, flags.seed)
    results[way] = 'network %s, head %s' % tuple(
        'changed' if changed[name] else 'kept' for name in ('network', 'head'))
  picture = lesson.path(flags, 'losses.png')
  lesson.draw_curves(picture, curves, 'A head on a network that is kept',
                     are_equal=True)
  return dict(results, largest_difference_of_losses=float(
      np.ptp(list(curves.values()), axis=0).max()), picture=picture)


if __name__ == '__main__':
  lesson.main(run, flags_)
