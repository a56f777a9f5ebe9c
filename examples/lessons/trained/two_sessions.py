"""A graph and a session for each of two networks, and a thread for each.

  python -m examples.lessons.trained.two_sessions

Nothing of one graph can be used in the other, so that nothing can be mixed up:
asking one session for a tensor of the other is an error. Both run at the same
time, each from a thread of its own, and say what they say alone. On a GPU,
allow_growth keeps the first session from taking all memory. odds.png has every
digit at the probability of its class, by the one network and by the other.
"""
from concurrent import futures

from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=80))

import numpy as np
import tensorflow.compat.v1 as tf

from examples.lessons import lesson
from examples.lessons import mnist_slim

_PARTS = 10


class Network:
  """A network with a graph and a session of its own."""

  def __init__(self, steps, seed):
    with tf.Graph().as_default() as graph:
      tf.set_random_seed(seed)
      images, labels = mnist_slim.make_input(*lesson.digits(), seed=seed)
      train = mnist_slim.make_train_op(mnist_slim.make_model(images), labels)
      self.inputs = tf.placeholder(tf.float32, [None, 28, 28, 1])
      self.outputs = tf.nn.softmax(mnist_slim.make_model(self.inputs))
      initialize = [tf.global_variables_initializer(), tf.tables_initializer()]
    config = tf.ConfigProto()
    config.gpu_options.allow_growth = True
    self.session = tf.Session(graph=graph, config=config)
    self.session.run(initialize)
    for _ in range(steps):
      self.session.run(train)

  def predict(self, images):
    """Returns probabilities, float32 [batch, 10]."""
    return self.session.run(self.outputs, {self.inputs: images})


def _refuses(action):
  """Returns whether an action is a ValueError, or what TensorFlow raises."""
  try:
    action()
  except (ValueError, TypeError):
    return True
  return False


def run(flags):
  """Trains two; returns whether they mix, and whether threads matter."""
  networks = [Network(flags.steps, 2 * flags.seed + number)
              for number in range(2)]
  images, labels = lesson.digits('t10k')
  one, other = networks
  alone = [network.predict(images) for network in networks]
  with futures.ThreadPoolExecutor(2) as pool:
    together = list(zip(*[pool.map(
        network.predict, np.array_split(images, _PARTS))
                          for network in networks]))
  results = {
      'a_tensor_of_the_other_graph_is_refused': _refuses(
          lambda: one.session.run(other.outputs)),
      'a_sum_of_both_graphs_is_refused': _refuses(
          lambda: one.outputs + other.outputs),
      'largest_difference_with_threads': float(max(np.abs(
          np.concatenate(parts) - expected).max()
                                                   for parts, expected in zip(
                                                       zip(*together), alone)))}
  chances = np.stack([
      each[np.arange(len(labels)), labels] for each in alone], axis=1)
  picture = lesson.path(flags, 'odds.png')
  shown = np.argsort(chances.min(axis=1))[:250]
  lesson.draw_points(
      picture, chances[shown] * [1, -1], images[shown], labels[shown],
      ('probability of its class, by a', 'by b'))
  for name, network, found in zip('ab', networks, alone):
    network.session.close()
    results['accuracy_of_' + name] = float(np.mean(
        found.argmax(axis=1) == labels))
  return dict(results, picture=picture)


if __name__ == '__main__':
  lesson.main(run, flags_)
