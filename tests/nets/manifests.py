"""Golden facts about a network: how they are read from its graph and stored.

A manifest is a dict:

  'images': shape of the input, for example '?x224x224x3'; '?' is unknown.
  'default_image_size': of the network, or None.
  'parameters': numbers of elements, {'trainable': ..., 'model': ...}.
  'training', 'evaluation': dicts of
    'net': name of the operation whose output the network returns,
    'shape': its shape,
    'predictions': name of the operation of the predictions, or None,
    'update_ops', 'regularization_losses': their numbers,
    'variables': dict from name to '7x7x3x64 tmr': the shape, then
      t if trainable, m if in MODEL_VARIABLES, r if regularized,
    'end_points': dict from name to shape.
  'numbers': what `golden_numbers` computes, for some networks only.

On disk names are split at their slashes into a tree, and 'variables' and
'end_points' may be stored as differences from those of the training mode, or
from another network's: {'like': ..., 'without': [...], 'with': tree}.
"""
import json
import pathlib

import tensorflow.compat.v1 as tf

FOLDER = pathlib.Path(__file__).resolve().parent.parent / 'golden' / 'nets'
MODES = ('training', 'evaluation')
_WIDTH = 160
_PREDICTIONS = ('Predictions', 'predictions')
_GLOBAL_STEP = 'global_step'


def shape_text(shape):
  """Returns the text of a `tf.TensorShape`: '?x224x224x3', '' of a scalar."""
  return 'x'.join(
      '?' if size is None else str(size) for size in shape.as_list())


def of_results(net, end_points):
  """Describes what a network returns; returns a part of a mode's dict."""
  predictions = [end_points[name] for name in _PREDICTIONS
                 if name in end_points]
  return {
      'net': net.op.name,
      'shape': shape_text(net.shape),
      'predictions': predictions[0].op.name if predictions else None,
      'end_points': {name: shape_text(tensor.shape)
                     for name, tensor in end_points.items()},
  }


def of_graph():
  """Describes the default graph; returns the other part of a mode's dict."""
  regularized = [_variable_of(loss) for loss in tf.get_collection(
      tf.GraphKeys.REGULARIZATION_LOSSES)]
  members = [('t', {v.op.name for v in tf.trainable_variables()}),
             ('m', {v.op.name for v in tf.model_variables()}),
             ('r', set(regularized))]
  return {
      'update_ops': len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)),
      'regularization_losses': len(regularized),
      'variables': {
          variable.op.name: ' '.join((
              shape_text(variable.shape),
              ''.join(letter for letter, names in members
                      if variable.op.name in names)))
          for variable in _variables()},
  }


def count_parameters():
  """Returns the numbers of elements of the default graph's variables."""
  return {kind: sum(variable.shape.num_elements() for variable in variables)
          for kind, variables in (('trainable', tf.trainable_variables()),
                                  ('model', tf.model_variables()))}


def _variables():
  return [variable for variable in tf.global_variables()
          if variable.op.name != _GLOBAL_STEP]


def _variable_of(loss):
  """Returns the name of the variable that a regularization loss is of."""
  names = {variable.op.name for variable in _variables()}
  waiting = [loss.op]
  while waiting:
    operation = waiting.pop()
    if operation.name in names:
      return operation.name
    waiting += [tensor.op for tensor in operation.inputs]
  raise ValueError('%s depends on no variable.' % loss.op.name)


def differences(found, expected, path=''):
  """Compares two values of dicts and the types of JSON except lists.

  Returns:
    A list of lines, one per difference; empty if the two are equal.
  """
  if not (isinstance(found, dict) and isinstance(expected, dict)):
    return [] if found == expected else [
        '%s is %s, expected %s' % (path, found, expected)]
  lines = []
  for name in list(expected) + [name for name in found if name not in expected]:
    inner = '%s: %s' % (path, name) if path else name
    if name not in found:
      lines.append('%s is missing, expected %s' % (inner, expected[name]))
    elif name not in expected:
      lines.append('%s is new: %s' % (inner, found[name]))
    else:
      lines += differences(found[name], expected[name], inner)
  return lines


def path_of(name):
  """Returns the path of the golden of this name."""
  return FOLDER / (name + '.json')


def read(name):
  """Returns the manifest `name`.

  Raises:
    FileNotFoundError: there is none; the message says how to create it.
  """
  path = path_of(name)
  if not path.exists():
    raise FileNotFoundError(
        'No golden for %s. If the network is as it shall be, make one: '
        'python -m tests.golden.renew --only=%s' % (name, name))
  manifest = json.loads(path.read_text())
  for mode in MODES:
    for part in ('variables', 'end_points'):
      manifest[mode][part] = _unpack(
          manifest[mode][part], part, manifest['training'])
  return manifest


def text(manifest, like=None):
  """Returns the text of a manifest's file.

  Args:
    manifest: a manifest.
    like: name of a manifest on disk that most of it is equal to, or None.
  """
  kept = dict(manifest)
  bases = {'training': (like, like and read(like)['training']),
           'evaluation': ('training', manifest['training'])}
  for mode, (base_name, base) in bases.items():
    kept[mode] = dict(manifest[mode])
    for part in ('variables', 'end_points'):
      kept[mode][part] = _pack(
          manifest[mode][part], base_name, base and base[part])
  return _dump(kept) + '\n'


def _pack(values, base_name, base):
  whole = _tree(values)
  if base is None:
    return whole
  changes = {'like': base_name}
  without = [name for name in base if name not in values]
  added = {name: value for name, value in values.items()
           if base.get(name) != value}
  if without:
    changes['without'] = without
  if added:
    changes['with'] = _tree(added)
  return changes if len(json.dumps(changes)) < len(json.dumps(whole)) else whole


def _unpack(kept, part, training):
  if 'like' not in kept:
    return _flat(kept)
  base = training if kept['like'] == 'training' else (
      read(kept['like'])['training'])
  values = {name: value for name, value in base[part].items()
            if name not in kept.get('without', ())}
  values.update(_flat(kept.get('with', {})))
  return values


def _tree(values):
  """Cuts names at slashes; what has a name's own value is under ''."""
  tree = {}
  for name, value in values.items():
    branch = tree
    for component in name.split('/'):
      branch = branch.setdefault(component, {})
    branch[''] = value
  return _joined(tree)


def _joined(tree):
  """Joins what has a single branch with that branch."""
  joined = {}
  for component, branch in tree.items():
    while isinstance(branch, dict) and len(branch) == 1:
      (inner, branch), = branch.items()
      component = '/'.join(filter(None, (component, inner)))
    joined[component] = _joined(branch) if isinstance(branch, dict) else branch
  return joined


def _flat(tree, prefix=''):
  values = {}
  for component, branch in tree.items():
    name = '/'.join(filter(None, (prefix, component)))
    if isinstance(branch, dict):
      values.update(_flat(branch, name))
    else:
      values[name] = branch
  return values


def _dump(value, indent=0, room=_WIDTH):
  """Returns JSON text, a dict on one line where it fits."""
  line = json.dumps(value)
  if len(line) <= room or not isinstance(value, dict):
    return line
  entries = []
  for name, entry in value.items():
    start = '%s%s: ' % (' ' * (indent + 1), json.dumps(name))
    entries.append(start + _dump(entry, indent + 1, _WIDTH - len(start)))
  return '{\n%s\n%s}' % (',\n'.join(entries), ' ' * indent)
