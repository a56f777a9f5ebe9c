"""Several trained networks in one program.

  with models.load_models({'a': 'runs/a', 'b': 'exports/b'}) as loaded:
    probabilities = loaded['a'].predict(images)
    both = loaded.ensemble(images)

A network is a checkpoint with the run.json of its training, an export (frozen
graph or SavedModel), or any checkpoint with its .meta file. By default each has
a graph and a session of its own, whose tensors cannot be mixed. With
one_session=True they share one, each below the scope of its name.

Two checkpoints in one session silently overwrite each other where both restore
into the same variables. `load_models` compares all variables with their
checkpoints, and `import_checkpoint` refuses what would overwrite. Sessions take
GPU memory as they need it (allow_growth), so that several fit.
"""
import collections
import contextlib
import os
import re

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier import options as program_options
from image_classifier.checkpoints import checkpoint_reader
from image_classifier.graphs import moving_average
from image_classifier.inference import backends
from image_classifier.inference import exports
from image_classifier.inference import inference_graph
from image_classifier.runs import record_defaults
from image_classifier.runs import run_record
from slim_common import flags

_WITHOUT_GRAPH = ('.tflite', '.onnx')
_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]*')


class Model:
  """One of several networks.

  Attributes:
    name: str.
    session: the tf.Session; its graph is `session.graph`.
    variables: dict {name in the checkpoint: variable}; empty for an export.
    checkpoint: str, prefix of the checkpoint; None for an export.
  """

  def __init__(self, name, session, scope, tensors, variables=None,
               checkpoint=None):
    self.name, self.session = name, session
    self.variables, self.checkpoint = variables or {}, checkpoint
    self._scope, self._tensors = scope, tensors

  def tensor(self, name):
    """Returns a tensor by the name it has in the network alone, as 'y:0'.

    Also 'input', 'logits' and 'predictions' of a network of this project.

    Raises:
      KeyError: there is none.
    """
    if name in self._tensors:
      return self._tensors[name]
    return self.session.graph.get_tensor_by_name(
        self._scope + (name if ':' in name else name + ':0'))

  def run(self, names, feeds=None):
    """Returns the values of tensors.

    Args:
      names: name of a tensor, or a list of names; see `tensor`.
      feeds: dict {name: value}.
    """
    tensors = (self.tensor(names) if isinstance(names, str) else
               [self.tensor(name) for name in names])
    return self.session.run(tensors, {
        self.tensor(name): value for name, value in (feeds or {}).items()})

  def predict(self, images):
    """Returns the probabilities, float32 [batch, classes].

    Args:
      images: preprocessed images, floats [batch, height, width, channels].
    """
    return self.run('predictions', {'input': images})

  def check(self):
    """Checks that every variable holds what the checkpoint has.

    Raises:
      ValueError: one does not: another checkpoint or an initializer has
        overwritten it.
    """
    if not self.checkpoint:
      return
    reader = tf.train.NewCheckpointReader(self.checkpoint)
    values = self.session.run(self.variables)
    wrong = [name for name, value in sorted(values.items())
             if not np.array_equal(value, reader.get_tensor(name))]
    if wrong:
      raise ValueError(
          '%d of %d variables of the model %s, such as %s, do not hold the '
          'values of %s: another checkpoint or an initializer has overwritten '
          'them. Restore last, and give each model a scope of its own.' % (
              len(wrong), len(values), self.name, wrong[0], self.checkpoint))


class Models(contextlib.AbstractContextManager):
  """Networks by their names; a context manager, which closes the sessions."""

  def __init__(self, models):
    self._models = collections.OrderedDict(
        (model.name, model) for model in models)

  def __getitem__(self, name):
    return self._models[name]

  def __iter__(self):
    return iter(self._models)

  def __exit__(self, *exception):
    for model in self._models.values():
      model.session.close()

  def check(self):
    """Checks all; see `Model.check`."""
    for model in self._models.values():
      model.check()

  def predict(self, images):
    """Returns {name: probabilities, float32 [batch, classes]}.

    Args:
      images: preprocessed images for all; or a dict {name: images}, for
        networks with images of different sizes or preprocessing.
    """
    return {name: model.predict(
        images[name] if isinstance(images, dict) else images)
            for name, model in self._models.items()}

  def ensemble(self, images):
    """Returns the mean of the probabilities of all networks.

    Args:
      images: as for `predict`.

    Raises:
      ValueError: the networks have different numbers of classes.
    """
    probabilities = self.predict(images)
    widths = {name: values.shape[1] for name, values in probabilities.items()}
    if len(set(widths.values())) > 1:
      raise ValueError('Networks of an ensemble need the same classes; they '
                       'have %s.' % ', '.join(
                           '%s %d' % row for row in widths.items()))
    return np.mean(list(probabilities.values()), axis=0)


def load_models(sources, one_session=False):
  """Loads several networks.

  Args:
    sources: dict {name: path}: a checkpoint, or the directory of a training; an
      export, its directory, frozen graph or SavedModel.
    one_session: whether all are in one graph and session.

  Returns:
    The Models.

  Raises:
    ValueError: a name cannot be a scope, a path is none of these, or a network
      does not hold the weights of its checkpoint.
  """
  for name in sources:
    if not _NAME.fullmatch(name):
      raise ValueError('The model name %r cannot be the name of a scope: use '
                       'letters, digits, _, . and -.' % name)
  graph = tf.Graph()
  models = []
  with contextlib.ExitStack() as stack:
    for name, path in sources.items():
      if not one_session:
        graph = tf.Graph()
      with graph.as_default():
        session = (models[0].session if one_session and models else
                   _new_session(graph))
        stack.callback(session.close)
        models.append(_load(name, path, name + '/' if one_session else '',
                            session))
    loaded = Models(models)
    loaded.check()
    stack.pop_all()
  return loaded


def _new_session(graph):
  config = tf.ConfigProto()
  config.gpu_options.allow_growth = True
  return tf.Session(graph=graph, config=config)


def _load(name, path, scope, session):
  """Returns the Model of a path, built and loaded in the default graph."""
  if path.endswith(_WITHOUT_GRAPH):
    raise ValueError('%s: a model of TensorFlow Lite or ONNX has no graph to '
                     'load: give the frozen graph or the SavedModel beside '
                     'it.' % path)
  if exports.is_directory(path) or path.endswith('.pb') or os.path.isfile(
      os.path.join(path, 'saved_model.pb')):
    return _load_export(name, path, scope, session)
  checkpoint = checkpoint_reader.find(path)
  if run_record.of_checkpoint(checkpoint):
    return _load_trained(name, checkpoint, scope, session)
  saver, variables = import_checkpoint(checkpoint, scope.rstrip('/'))
  saver.restore(session, checkpoint)
  return Model(name, session, scope, {}, variables, checkpoint)


def _load_export(name, path, scope, session):
  """Adds a frozen graph or a SavedModel."""
  if exports.is_directory(path):
    path = exports.find(path).path
  if path.endswith(_WITHOUT_GRAPH):
    return _load(name, path, scope, session)  # Which says why not.
  if os.path.isdir(path):
    loaded = tf.saved_model.loader.load(
        session, ['serve'], path, import_scope=scope.rstrip('/') or None)
    signature = loaded.signature_def['serving_default']
    names = {key: info.name for part in (signature.inputs, signature.outputs)
             for key, info in part.items()}
  else:
    definition = tf.GraphDef()
    with open(path, 'rb') as file:
      definition.ParseFromString(file.read())
    tf.import_graph_def(definition, name=scope.rstrip('/'))
    names = {key: key + ':0' for key in ('input',) + backends.OUTPUTS}
  model = Model(name, session, scope, {})
  return Model(name, session, scope, {
      key: model.tensor(tensor) for key, tensor in names.items()})


def _load_trained(name, checkpoint, scope, session):
  """Builds the network that the run.json of a checkpoint describes."""
  options, _ = record_defaults.apply(flags.remember(program_options.Classify(
      checkpoint_path=checkpoint), []), checkpoint)
  classes = inference_graph.find_classes(options, checkpoint)
  with contextlib.ExitStack() as stack:
    if scope:
      stack.enter_context(tf.variable_scope(scope.rstrip('/')))
    network = inference_graph.build(options, classes, checkpoint)
  variables = {
      key[len(scope):]: variable
      for key, variable in moving_average.variables_to_restore(
          options.moving_average_decay).items() if key.startswith(scope)}
  checkpoint_reader.check_fits(checkpoint, variables)
  tf.train.Saver(variables).restore(session, checkpoint)
  tensors = dict(inference_graph.outputs(network), input=network.images)
  return Model(name, session, scope, tensors, variables, checkpoint)


def import_checkpoint(prefix, scope=''):
  """Adds the graph in a checkpoint's .meta file to the default graph.

  Args:
    prefix: prefix of the checkpoint.
    scope: name of the scope for all of it; '' for none.

  Returns:
    (saver, variables): a `tf.train.Saver`, and a dict {name in the
    checkpoint: variable}.

  Raises:
    ValueError: there is no .meta file, or the graph has variables of the same
      names, which two checkpoints would share without a message.
  """
  meta = prefix + '.meta'
  if not os.path.isfile(meta):
    raise ValueError(
        '%s has neither a .meta file nor, beside it, the run.json of a '
        'training, which say what its network is.' % prefix)
  before = {variable.op.name for variable in tf.global_variables()}
  saved = {'/'.join(filter(None, (scope, name))): name
           for name in checkpoint_reader.shapes_in(prefix)}
  shared = sorted(before & set(saved))
  if shared:
    raise ValueError(
        'The graph has the variable %s already: restoring %s would overwrite '
        'it. Import each checkpoint with another scope.' % (shared[0], prefix))
  saver = tf.train.import_meta_graph(meta, import_scope=scope or None)
  variables = {saved[variable.op.name]: variable
               for variable in tf.global_variables()
               if variable.op.name in saved}
  return saver, variables
