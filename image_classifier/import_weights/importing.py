"""Makes a checkpoint of this library from the weights of another framework.

Every variable of the network is filled from a tensor of the same shape, or is
named: those of an auxiliary head, which many files leave out, get their initial
values. Nothing is written unless all is well. Beside the checkpoint lies a
run.json, from which training, evaluation, export and classification take the
network, its variant, the images and the classes.
"""
import importlib
import json
import os
from typing import List, NamedTuple, Optional

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.import_weights import formats
from image_classifier.import_weights import graph_files
from image_classifier.import_weights import layers as layer_forms
from image_classifier.import_weights import name_rules
from image_classifier.import_weights import network as networks
from image_classifier.import_weights import sources
from image_classifier.runs import run_record
from nets import variants
from preprocessing import preprocessing_factory
from slim_common import atomic_files
from slim_common import suggest

# Sources and the modules with their tables.
SOURCES = {'torchvision': 'torchvision_names', 'timm': 'timm_names',
           'keras': 'keras_names', 'keras_2018': 'keras_2018_names',
           'tflite': 'tflite_names'}
# Those that write a kind of files, and how their weights become ours.
_OF_KIND = {formats.TORCH: ('torchvision', 'timm'),
            formats.KERAS: ('keras', 'keras_2018'),
            formats.TFLITE: ('tflite',)}
_GETTERS = {formats.TORCH: layer_forms.of_torch,
            formats.KERAS: layer_forms.of_keras,
            formats.TFLITE: layer_forms.of_tflite}
# The source of files with the names of this library.
SLIM = 'slim'
CHECKPOINT = 'model.ckpt'
# ImageNet without and with the class of the background.
_OFFSETS = {1000: 1, 1001: 0}


class Imported(NamedTuple):
  """What was imported.

  Attributes:
    network: the `network.Network`.
    checkpoint: prefix of the checkpoint.
    source: key of SOURCES, or SLIM.
    variant: the variant of the network.
    initialized: names of variables that got their initial values.
    unused: names in the file that no variable was filled from.
  """
  network: networks.Network
  checkpoint: str
  source: str
  variant: str
  initialized: List[str]
  unused: List[str]


def run(path: str, model_name: str, output: str,
        source: Optional[str] = None) -> Imported:
  """Imports a file of weights.

  Args:
    path: the file.
    model_name: name of the network, a key of `nets_factory.networks_map`.
    output: directory for model.ckpt and run.json; made if missing.
    source: key of SOURCES; None to tell it from the names in the file.

  Raises:
    ValueError: the file is damaged or of another network, a tensor is missing
      or has another shape, or `output` holds a checkpoint.
    OSError: the file cannot be read, or `output` not be written.
  """
  prefix = os.path.join(output, CHECKPOINT)
  if os.path.exists(prefix + '.index'):
    raise ValueError('--output=%s holds %s already: remove it, or give another '
                     'directory.' % (output, CHECKPOINT))
  kind, tensors = formats.read(path)
  if kind == formats.GRAPH:
    source, row = SLIM, sources.Row([], preprocessing=model_name)
    classes = graph_files.num_classes(tensors, path)
  else:
    source, row = _row(source, kind, model_name, tensors, path)
    classes = _num_classes(row, kind, tensors, model_name, path)
  preprocessing = row.preprocessing or module_of(source).PREPROCESSING
  network = networks.describe(model_name, classes, row.variant)
  if kind == formats.GRAPH:
    values, used, initialized = graph_files.fill(network, tensors, path)
  else:
    values, used, initialized = _fill(network, row, kind, tensors, path)
  unused = sorted(set(tensors) - used)
  if unused and kind == formats.TFLITE:  # Only their order says what is what.
    raise ValueError(
        '%s has %s, for which %s has no layer: is it a file of another '
        'network?' % (path, unused[0], model_name))
  os.makedirs(output, exist_ok=True)
  _save(prefix, network, values)
  _write_record(output, model_name, classes, row.variant, preprocessing,
                network.image_size, {
                    'file': os.path.basename(path), 'source': source})
  return Imported(network, prefix, source, row.variant, initialized, unused)


def module_of(source: str):
  """Returns the module with the table of a source."""
  return importlib.import_module(
      'image_classifier.import_weights.tables.' + SOURCES[source])


def _row(source, kind, model_name, tensors, path):
  """Returns (source, its row of the network) for a file."""
  possible = _OF_KIND[kind]
  if source is not None and source not in possible:
    raise ValueError('--source=%s: the file %s is one of %s.' % (
        source, path, ' or '.join(possible)))
  rows = {name: module_of(name).ROWS for name in possible
          if source in (None, name)}
  having = [name for name in rows if model_name in rows[name]]
  if not having:
    known = sorted(set().union(*rows.values()))
    raise ValueError('--model_name=%s: %s has no such network%s Those that can '
                     'be imported are %s.' % (
                         model_name, ' or '.join(rows), suggest.hint(
                             model_name, known), ', '.join(known)))
  # Two sources may know the network: the file has the names of one.
  best = max(having, key=lambda name: _known(
      rows[name][model_name].rules, tensors))
  return best, rows[best][model_name]


def _known(rules, tensors):
  """Returns how many of the names without groups a file has."""
  plain = [rule.conv for rule in rules if rule.conv and '{' not in rule.conv]
  return sum(name + '.weight' in tensors or name.lower() + '/kernel' in tensors
             for name in plain)


def _getters(row, kind, tensors):
  return _GETTERS[kind](tensors, row.epsilon)


def _num_classes(row, kind, tensors, model_name, path):
  """Returns the width of the last layer in the file."""
  last = sum(name.endswith('/kernel') for name in tensors) - 1
  for head in ('Logits/Conv2d_1c_1x1', 'Logits/Logits', 'logits', 'fc8',
               'final_layer/FC'):
    names = name_rules.find(head, row.rules, count=last)
    if names is None:
      continue
    try:
      return _getters(row, kind, tensors)[0](names.conv).kernel.shape[-1]
    except KeyError as error:
      raise ValueError(_missing(error, head, model_name, path))
  raise AssertionError('The table of %s has no head.' % model_name)


def _missing(error, scope, what, path):
  return ('%s has no tensor %s, for the layer %s of %s: is it a file of '
          'another network, or without its last layers?' % (
              path, error.args[0], scope, what))


def _fill(network, row, kind, tensors, path):
  """Returns (values, used, initialized).

  values is a dict {name of a variable: array}, used a set of names in the file,
  initialized a list of names of variables that the file has nothing for.
  """
  noting = _Noting(tensors)
  conv_of, norm_of = _getters(row, kind, noting)
  values, initialized = {}, []
  for layer, names in name_rules.of_layers(network.layers, row.rules):
    scope = network.root + layer.scope
    if names is None or _is_left_out(names, layer, tensors):
      if not name_rules.is_auxiliary(layer.scope):
        absent = KeyError(names and (names.conv or names.norm))
        raise ValueError(_missing(absent, scope, 'the network', path))
      initialized += _names_of(network.root, layer)
      continue
    try:
      conv = conv_of(names.conv, layer.is_depthwise) if layer.conv else None
      norm = norm_of(names.norm) if layer.norm else None
      if layer is network.layers[0] and row.swap_colors:
        conv = conv._replace(kernel=conv.kernel[:, :, ::-1])
      if norm is not None:
        conv, norm = layer_forms.fold(
            conv, norm, network.epsilon, 'gamma' in layer.norm,
            layer.is_depthwise)
    except KeyError as error:
      raise ValueError(_missing(error, scope, 'the network', path))
    except ValueError as error:
      raise ValueError('%s: the layer %s: %s.' % (path, scope, error))
    values.update(_variables(network.root, layer, conv, norm, names, path))
  return values, noting.used, initialized


class _Noting(dict):
  """A dict of tensors that notes which were asked for."""

  def __init__(self, tensors):
    super().__init__(tensors)
    self.used = set()

  def __getitem__(self, name):
    value = super().__getitem__(name)
    self.used.add(name)
    return value

  def get(self, name, default=None):
    return self[name] if name in self else default


def _is_left_out(names, layer, tensors):
  """Returns whether a file has nothing of an auxiliary head's layer."""
  name = names.conv if layer.conv else names.norm
  return name_rules.is_auxiliary(layer.scope) and not any(
      each.startswith(name) for each in tensors)


def _names_of(root, layer):
  return ['%s%s/%s' % (root, scope, last) for scope, shapes in (
      (layer.scope, layer.conv), (layer.norm_scope, layer.norm))
          for last in shapes]


def _variables(root, layer, conv, norm, names, path):
  """Returns {name: array} of a layer, each in the shape of its variable."""
  values = {}
  if conv is not None:
    bias = conv.bias
    if bias is None and 'biases' in layer.conv:
      bias = np.zeros(layer.conv['biases'])
    if bias is not None and 'biases' not in layer.conv:
      raise ValueError('%s: %s has a bias, and the layer %s has none.' % (
          path, names.conv, layer.scope))
    kernel = [last for last in layer.conv if last != 'biases'][0]
    values[layer.scope, kernel] = conv.kernel_for(layer.conv[kernel])
    if bias is not None:
      values[layer.scope, 'biases'] = bias
  if norm is not None:
    for last, value, default in (
        ('gamma', norm.gamma, 1.0), ('beta', norm.beta, 0.0),
        ('moving_mean', norm.mean, None),
        ('moving_variance', norm.variance, None)):
      if last in layer.norm:
        values[layer.norm_scope, last] = (
            np.full(layer.norm[last], default) if value is None else value)
  shapes = {(layer.scope, last): shape for last, shape in layer.conv.items()}
  shapes.update(((layer.norm_scope, last), shape)
                for last, shape in layer.norm.items())
  return {'%s%s/%s' % ((root,) + key): _shaped(
      value, shapes[key], '%s%s/%s' % ((root,) + key), names, path)
          for key, value in values.items()}


def _shaped(value, shape, variable, names, path):
  """Returns a value as float32.

  Raises:
    ValueError: it has another shape than the variable.
  """
  value = np.asarray(value, np.float32)
  if list(value.shape) == shape:
    return value
  raise ValueError(
      '%s: %s has shape %s there, and the variable %s %s here. %s' % (
          path, names.conv or names.norm, list(value.shape), variable, shape,
          'It was trained with another network or width: check --model_name.'))


def _save(prefix, network, values):
  """Writes a checkpoint of the network with the values."""
  with network.graph.as_default(), tf.Session() as session:
    variables = tf.global_variables()
    # All in one call: a call each would prune a large graph as often.
    session.run([variable.initializer for variable in variables], {
        variable.initializer.inputs[1]: values[variable.op.name]
        for variable in variables if variable.op.name in values})
    tf.train.Saver(variables).save(session, prefix, write_meta_graph=False)


def _write_record(output, model_name, classes, variant, preprocessing, size,
                  imported):
  """Writes run.json, which the programs read as that of a training."""
  offset = _OFFSETS.get(classes, 0)
  record = {
      'format_version': 2, 'model_name': model_name, 'num_classes': classes,
      'image_shape': [size, size, 3], 'labels_offset': offset,
      'preprocessing': preprocessing_factory.describe(preprocessing),
      'use_grayscale': False, 'averaged_weights': False,
      'classifier_activation': 'softmax', 'imported': imported,
      'tensorflow': tf.__version__,
      'flags': {
          'model_name': model_name, 'network_variant': variant,
          'preprocessing_name': preprocessing, 'use_grayscale': False,
          'moving_average_decay': None}}
  if variant != variants.SLIM:
    record['imported'] = dict(
        imported, differences=variants.VARIANTS[variant].differences)
  with atomic_files.publish(os.path.join(output, run_record.NAME)) as file:
    file.write(json.dumps(record, indent=1, sort_keys=True) + '\n')
