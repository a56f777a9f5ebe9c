"""Train, freeze, and serve: one network in three files.

  python -m examples.lessons.trained.train_and_export

After the training there is a checkpoint; a frozen graph, whose weights are
constants; and a SavedModel with a signature. All take raw images, uint8, in
batches of any size, and give the same classes.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=150))

import numpy as np
import tensorflow.compat.v1 as tf

from examples.lessons import lesson
from examples.lessons import mnist_slim

_OUTPUTS = ('logits', 'classes')


def _serve():
  """Adds the network on raw images; returns (images, outputs)."""
  raw = tf.placeholder(tf.uint8, [None, 28, 28, 1], 'image_tensor')
  logits = tf.identity(mnist_slim.make_model(
      tf.cast(raw, tf.float32) / 255), 'logits')
  return raw, (logits, tf.argmax(logits, axis=1, name='classes'))


def run(flags):
  """Trains, writes all three, compares them on batches of 1 and 5."""
  images, labels = mnist_slim.make_input(*lesson.digits(), seed=flags.seed)
  train_op = mnist_slim.make_train_op(mnist_slim.make_model(images), labels)
  raw, outputs = _serve()
  digits, true = lesson.digits('t10k', 500)
  digits = np.round(digits * 255).astype(np.uint8)
  saved = lesson.path(flags, 'saved_model')
  if tf.gfile.IsDirectory(saved):
    tf.gfile.DeleteRecursively(saved)
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    for _ in range(flags.steps):
      session.run(train_op)
    tf.train.Saver().save(session, lesson.path(flags, 'model.ckpt'))
    expected = session.run(outputs, {raw: digits})
    frozen = tf.graph_util.convert_variables_to_constants(
        session, tf.get_default_graph().as_graph_def(), list(_OUTPUTS))
    tf.saved_model.simple_save(session, saved, {'image_tensor': raw}, dict(
        zip(_OUTPUTS, outputs)))
  with open(lesson.path(flags, 'frozen_inference_graph.pb'), 'wb') as file:
    file.write(frozen.SerializeToString())
  return dict(_compare(flags, saved, digits, expected), accuracy=float(
      np.mean(expected[1] == true)), picture=_draw(flags, digits, expected[1]))


def _compare(flags, saved, digits, expected):
  """Returns how far frozen graph and SavedModel are from the checkpoint."""
  results = {}
  for form in ('frozen', 'saved'):
    with tf.Graph().as_default(), tf.Session() as session:
      if form == 'saved':
        tf.saved_model.loader.load(session, ['serve'], saved)
      else:
        definition = tf.GraphDef()
        with open(lesson.path(
            flags, 'frozen_inference_graph.pb'), 'rb') as file:
          definition.ParseFromString(file.read())
        tf.import_graph_def(definition, name='')
      found = [session.run(['logits:0', 'classes:0'], {
          'image_tensor:0': digits[:size]}) for size in (1, 5, len(digits))]
    results[form + '_largest_difference'] = float(max(
        np.abs(logits - expected[0][:len(logits)]).max()
        for logits, _ in found))
    results[form + '_classes_are_equal'] = all(
        np.array_equal(classes, expected[1][:len(classes)])
        for _, classes in found)
  return results


def _draw(flags, digits, classes):
  """Draws digits by their class; returns the path of the picture."""
  picture = lesson.path(flags, 'classes.png')
  lesson.draw_rows(picture, [
      ('class %d' % number, list(digits[classes == number][:10] / 255.))
      for number in range(10) if (classes == number).any()], scale=1)
  return picture


if __name__ == '__main__':
  lesson.main(run, flags_)
