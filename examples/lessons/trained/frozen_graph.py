"""A new head on a frozen graph: a network that comes as a .pb file.

  python -m examples.lessons.trained.frozen_graph

The file has no variables: its weights are constants, so nothing can change
them. import_graph_def brings it in, a tensor is taken by its name, and a head
in the scope D, the only variables there are, learns to tell 7 from 9 (the
frozen network was trained on 0 to 4). A second import needs a prefix.

The head's loss takes logits. Given probabilities, it would be a softmax of a
softmax, and even a perfect answer of two classes would cost 0.313.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=200))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson
from examples.lessons import mnist_slim

_SEEN, _NEW, _BATCH = (0, 1, 2, 3, 4), (7, 9), 20
# The maps of the second convolution, [batch, 7, 7, 32].
_FEATURES = 'Digits/MaxPool2D_1/MaxPool'


def of_classes(split, classes):
  """Returns the digits of some classes, and their indices in `classes`."""
  images, labels = lesson.digits(split)
  is_one = np.isin(labels, classes)
  return images[is_one], np.searchsorted(classes, labels[is_one])


def freeze(flags):
  """Trains on the digits 0 to 4; returns the path of a frozen graph."""
  path = lesson.path(flags, 'frozen.pb')
  with tf.Graph().as_default() as graph, tf.Session() as session:
    tf.set_random_seed(flags.seed)
    images = tf.placeholder(tf.float32, [None, 28, 28, 1], 'images')
    labels = tf.placeholder(tf.int64, [None])
    train = mnist_slim.make_train_op(mnist_slim.make_model(images), labels)
    session.run(tf.global_variables_initializer())
    digits, classes = of_classes('train', _SEEN)
    for _, batch in zip(range(flags.steps), lesson.batches(
        _BATCH, len(classes), flags.seed)):
      session.run(train, {images: digits[batch], labels: classes[batch]})
    definition = tf.graph_util.convert_variables_to_constants(
        session, graph.as_graph_def(), [_FEATURES])
  with open(path, 'wb') as file:
    file.write(definition.SerializeToString())
  return path


def perfect_losses():
  """Returns the losses of a perfect answer, as logits and as probabilities."""
  logits = tf.constant([[20.0, 0.0]])
  losses = [tf.losses.sparse_softmax_cross_entropy(
      [0], given, loss_collection=None)
            for given in (logits, tf.nn.softmax(logits))]
  with tf.Session() as session:
    return {name: float(loss) for name, loss in zip(
        ('perfect_loss_of_logits', 'perfect_loss_of_probabilities'),
        session.run(losses))}


def run(flags):
  """Trains the head; returns what was frozen and what was learned."""
  definition = tf.GraphDef()
  with open(freeze(flags), 'rb') as file:
    definition.ParseFromString(file.read())
  tf.import_graph_def(definition, name='')
  again, = tf.import_graph_def(
      definition, return_elements=[_FEATURES + ':0'], name='again')
  graph = tf.get_default_graph()
  images, features = [graph.get_tensor_by_name(name + ':0')
                      for name in ('images', _FEATURES)]
  labels = tf.placeholder(tf.int64, [None])
  with tf.variable_scope('D'):
    logits = slim.fully_connected(
        slim.flatten(features), 2, activation_fn=None, scope='fc')
  loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
  step = tf.train.AdamOptimizer(0.002).minimize(
      loss, var_list=tf.trainable_variables('D'))
  digits, classes = of_classes('train', _NEW)
  test, test_classes = of_classes('t10k', _NEW)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    before = session.run(features, {images: test[:1]})
    losses = []
    for _, batch in zip(range(flags.steps), lesson.batches(
        _BATCH, len(classes), flags.seed)):
      losses.append(float(session.run([loss, step], {
          images: digits[batch], labels: classes[batch]})[0]))
    after = session.run(features, {images: test[:1]})
    twin = session.run(again, {'again/images:0': test[:1]})
    guess = session.run(logits, {images: test}).argmax(axis=1)
  return dict(
      perfect_losses(),
      trainable_variables=', '.join(
          variable.op.name for variable in tf.trainable_variables()),
      frozen_output_is_kept=np.array_equal(before, after),
      both_imports_agree=np.array_equal(before, twin),
      loss_first=float(np.mean(losses[:5])),
      loss_last=float(np.mean(losses[-5:])),
      accuracy=float(np.mean(guess == test_classes)),
      picture=_draw(flags, test, test_classes, guess))


def _draw(flags, test, classes, guess):
  """Draws digits by class and answer; returns the path of the picture."""
  picture = lesson.path(flags, 'sevens_and_nines.png')
  lesson.draw_rows(picture, [
      ('a %d, taken for a %d' % (_NEW[true], _NEW[said]),
       list(test[(classes == true) & (guess == said)][:12]))
      for true in (0, 1) for said in (true, 1 - true)
      if ((classes == true) & (guess == said)).any()])
  return picture


if __name__ == '__main__':
  lesson.main(run, flags_)
