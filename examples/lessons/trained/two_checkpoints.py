"""Two checkpoints in one session: what works, and what overwrites silently.

  python -m examples.lessons.trained.two_checkpoints

Two files hold variables of the same names: net/w is 2 in one and 5 in the
other, and net/image an image of that digit. Each way of having both at once is
tried; ways.png shows the two images that the session then has.

A. One graph, two scopes, and a Saver each, with a map from the names in the
   file to the variables. (Without the map, the names are not found.)
B. import_meta_graph with an import_scope each; the savers it returns restore
   each its file. Without import_scope both restore into the same variables:
   5 and 5, and no word about it.
C. init_from_checkpoint, which replaces the initializers.
D. Two frozen graphs, imported under a name each.

Nothing is trained, so --steps and --seed change nothing. `two_models` does this
for networks: load_models refuses the silent case.
"""
import collections

from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=1))

import numpy as np
import tensorflow.compat.v1 as tf

from examples.lessons import lesson

VALUES = collections.OrderedDict([('a', 2), ('b', 5)])
_SCOPES = {name: 'm_' + name for name in VALUES}
_OUTPUTS = ('y', 'shown')


def _net(x):
  """Returns (x w, x image): a scalar, and float32 [28, 28, 1]."""
  with tf.variable_scope('net'):
    w = tf.get_variable('w', [])
    image = tf.get_variable('image', [28, 28, 1])
  return tf.multiply(x, w, 'y'), tf.multiply(x, image, 'shown')


def save(prefix, value):
  """Writes a checkpoint; returns (prefix, the same as a frozen GraphDef)."""
  images, labels = lesson.digits()
  image = images[np.flatnonzero(labels == value)[0]]
  with tf.Graph().as_default() as graph, tf.Session() as session:
    _net(tf.placeholder_with_default(1.0, [], 'x'))
    for variable, number in zip(tf.global_variables(), (value, image)):
      variable.load(number, session)
    prefix = tf.train.Saver().save(session, prefix)
    return prefix, tf.graph_util.convert_variables_to_constants(
        session, graph.as_graph_def(), list(_OUTPUTS))


def mapped(files):
  """Way A."""
  outputs = {}
  for name, scope in _SCOPES.items():
    with tf.variable_scope(scope):
      outputs[name] = _net(1.0)
  session = tf.Session()
  for name, scope in _SCOPES.items():
    tf.train.Saver({
        variable.op.name[len(scope) + 1:]: variable
        for variable in tf.global_variables(scope)}).restore(
            session, files[name][0])
  return session, outputs


def not_mapped(files):
  """Way A without the map; returns whether the names were found."""
  with tf.variable_scope('m_a'):
    _net(1.0)
  with tf.Session() as session:
    try:
      tf.train.Saver().restore(session, files['a'][0])
    except (tf.errors.NotFoundError, ValueError):
      return False
  return True


def imported(files, scopes=(('a', 'm_a'), ('b', 'm_b'))):
  """Way B."""
  session = tf.Session()
  for name, scope in scopes:
    tf.train.import_meta_graph(
        files[name][0] + '.meta', import_scope=scope).restore(
            session, files[name][0])
  return session, {name: [
      '%s%s:0' % (scope + '/' if scope else '', output) for output in _OUTPUTS]
                   for name, scope in scopes}


def imported_without_scopes(files):
  """Way B without import_scope."""
  return imported(files, (('a', None), ('b', None)))


def initialized(files):
  """Way C."""
  outputs = {}
  for name, scope in _SCOPES.items():
    with tf.variable_scope(scope):
      outputs[name] = _net(1.0)
    tf.train.init_from_checkpoint(files[name][0], {'net/': scope + '/net/'})
  session = tf.Session()
  session.run(tf.global_variables_initializer())
  return session, outputs


def frozen(files):
  """Way D."""
  for name, scope in _SCOPES.items():
    tf.import_graph_def(files[name][1], name=scope)
  return tf.Session(), {name: [
      '%s/%s:0' % (scope, output) for output in _OUTPUTS]
                        for name, scope in _SCOPES.items()}


WAYS = collections.OrderedDict([
    ('A_scopes_and_maps', mapped), ('B_import_scopes', imported),
    ('B_without_import_scope', imported_without_scopes),
    ('C_initializers', initialized), ('D_frozen_graphs', frozen)])


def run(flags):
  """Tries all ways; returns the numbers each gives. Nothing is trained."""
  files = {name: save(lesson.path(flags, name + '/model.ckpt'), value)
           for name, value in VALUES.items()}
  results, rows = collections.OrderedDict(), []
  for way, load in WAYS.items():
    with tf.Graph().as_default():
      session, outputs = load(files)
      with session:
        found = [session.run(outputs[name]) for name in VALUES]
    results[way] = '%d and %d' % tuple(value for value, _ in found)
    rows.append((way.replace('_', ' '), [image for _, image in found]))
  with tf.Graph().as_default():
    results['names_found_without_map'] = not_mapped(files)
  picture = lesson.path(flags, 'ways.png')
  lesson.draw_rows(picture, rows, scale=3)
  return dict(results, picture=picture)


if __name__ == '__main__':
  lesson.main(run, flags_)
