"""Two trained networks in one program, and what they make of an image together.

  python -m examples.lessons.trained.two_models

Two checkpoints that hold variables of the same names overwrite each other in
one session without a word. `load_models` gives each a graph and a session, or
with one_session=True a scope, and compares all variables with the checkpoints.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=100))

import numpy as np
import tensorflow.compat.v1 as tf

from examples.lessons import lesson
from examples.lessons import mnist_slim
from image_classifier.inference import models


def _train(prefix, steps, seed):
  """Trains a classifier; returns the prefix of its checkpoint."""
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(seed)
    images, labels = mnist_slim.make_input(*lesson.digits(), seed=seed)
    train_op = mnist_slim.make_train_op(mnist_slim.make_model(images), labels)
    inputs = tf.placeholder(tf.float32, [None, 28, 28, 1], 'images')
    tf.nn.softmax(mnist_slim.make_model(inputs), name='probabilities')
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    for _ in range(steps):
      session.run(train_op)
    return tf.train.Saver().save(session, prefix)


def run(flags):
  """Trains two, loads both, averages; returns accuracies."""
  sources = {name: _train(
      lesson.path(flags, name + '/model.ckpt'), flags.steps, seed)
             for seed, name in enumerate(('a', 'b'), 2 * flags.seed + 1)}
  images, labels = lesson.digits('t10k')
  with models.load_models(sources, one_session=True) as loaded:
    found = {name: loaded[name].run('probabilities', {'images': images})
             for name in loaded}
    found['ensemble'] = np.mean(list(found.values()), axis=0)
    # What a second restore into the same variables would do.
    loaded['a'].variables['Digits/logits/biases'].load(
        np.ones(10), loaded['a'].session)
    try:
      loaded.check()
      noticed = 'no'
    except ValueError:
      noticed = 'yes'
  return dict({name + '_accuracy': float(np.mean(
      values.argmax(axis=1) == labels)) for name, values in found.items()},
              overwriting_noticed=noticed, picture=_draw(flags, images, found))


def _draw(flags, images, found):
  """Draws what the networks disagree about; returns the path."""
  says = {name: values.argmax(axis=1) for name, values in found.items()}
  disputed = np.flatnonzero(says['a'] != says['b'])[:24]
  if not len(disputed):
    disputed = np.arange(24)
  picture = lesson.path(flags, 'disputed.png')
  lesson.draw_rows(picture, [(
      ['a: %d  b: %d  both: %d' % tuple(
          says[name][i] for name in ('a', 'b', 'ensemble')) for i in part],
      [images[i] for i in part])
                             for part in np.array_split(disputed, 4)
                             if len(part)], scale=4)
  return picture


if __name__ == '__main__':
  lesson.main(run, flags_)
