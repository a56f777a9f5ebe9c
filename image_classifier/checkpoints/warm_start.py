"""Warm starts: which variables are loaded, and which are trained.

A run resumes from its own checkpoint or starts at step 0; resume.py lists these
cases. Where it starts at step 0 with a checkpoint_path, the model variables
that fit are loaded from there and the others keep their initial values: a warm
start. Each model variable is one of these:

  excluded: it is in one of checkpoint_exclude_scopes; not loaded.
  loaded: the checkpoint has it, in the same shape.
  shape differs: an error; but if no scopes were given and it belongs to a
    layer whose width is the number of classes, the head, it keeps its initial
    value. 1000 and 1001 classes, ImageNet without and with a background class,
    are an error again. With adapt_first_convolution, the first convolution of
    a checkpoint for images of 3 channels is adapted to 1 or 4 channels.
  not in checkpoint: keeps its initial value if no scopes were given or
    ignore_missing_vars was, else an error. Without ignore_missing_vars, fewer
    than 90 % of the variables outside the head found is an error too: it is
    the checkpoint of another network.
"""
import collections
import itertools
import re
from typing import Callable, List, Optional

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.checkpoints import first_convolution
from image_classifier.checkpoints import foreign_names
from image_classifier.checkpoints import shape_mismatch
from slim_common import suggest

# A smaller fraction of the network's variables found in a checkpoint means that
# it is the checkpoint of another network.
_MIN_FRACTION_FOUND = 0.9


Plan = collections.namedtuple(
    'Plan', 'checkpoint loaded adapted excluded differs missing unused stuck')
Plan.__doc__ = """What a warm start loads.

Attributes:
  checkpoint: str, prefix of the checkpoint.
  loaded: dict {name in the checkpoint: variable to load}.
  adapted: dict {name in the checkpoint: variable to load}, for other numbers of
    channels; see first_convolution.py.
  excluded: list of the names of the variables in checkpoint_exclude_scopes.
  differs: dict {name: (shape here, shape in the checkpoint)}.
  missing: list of the names of the variables that the checkpoint lacks.
  unused: list of the names of what only the checkpoint has.
  stuck: list of the names of the variables that are neither loaded nor, because
    of trainable_scopes, trained.
"""


def plan(options) -> Plan:
  """Decides what a warm start loads; the network must have been built.

  Args:
    options: an `options.WarmStart` with a checkpoint_path.

  Raises:
    ValueError: no checkpoint, a scope that matches nothing, a variable that is
      missing or does not fit.
  """
  checkpoint = checkpoint_reader.find(options.checkpoint_path)
  theirs = checkpoint_reader.shapes_in(checkpoint)
  variables = slim.get_model_variables()
  scopes = options.checkpoint_exclude_scopes
  excluded = {v.op.name for v in _union(
      '--checkpoint_exclude_scopes', variables, {
          scope: [v for v in variables if v.op.name.startswith(scope)]
          for scope in scopes})}
  ours = collections.OrderedDict(
      (v.op.name, v.shape.as_list()) for v in variables)
  wanted = [name for name in ours if name not in excluded]
  names = {name: foreign_names.find(name, theirs, options.checkpoint_scope)
           for name in ours}
  missing = [name for name in wanted if names[name] is None]
  _check_found(checkpoint, wanted, missing, options, theirs)
  differs, adapted = _differing(
      {name: (shape, theirs[names[name]]) for name, shape in ours.items()
       if name in wanted and names[name]}, options.adapt_first_convolution)
  _check_shapes(checkpoint, differs, {
      **theirs, **{name: theirs[names[name]] for name in differs}}, ours,
                options)
  by_name = {v.op.name: v for v in variables}
  loaded = {names[name]: by_name[name] for name in wanted if not (
      name in missing or name in differs or name in adapted)}
  adapted = {names[name]: by_name[name] for name in adapted}
  if not loaded:
    raise ValueError(
        'Nothing is left to load from %s: --checkpoint_exclude_scopes=%s '
        'excludes everything that fits. Name fewer scopes, or leave out '
        '--checkpoint_path.' % (checkpoint, ','.join(scopes)))
  trained = variables_to_train(options)
  stuck = [v.op.name for v in tf.trainable_variables()
           if v in variables and v not in trained
           and v not in loaded.values() and v not in adapted.values()]
  return Plan(
      checkpoint, loaded, adapted,
      [name for name in ours if name in excluded], differs, missing,
      sorted(set(theirs) - set(names.values())), stuck)


def _differing(shapes, adapts):
  """Returns (differs, adapted) of a dict {name: (shape here, shape there)}.

  differs is an ordered dict of the same form, adapted a list of names.
  """
  differs = collections.OrderedDict(
      (name, (here, there)) for name, (here, there) in shapes.items()
      if here != there)
  adapted = [name for name, (here, there) in differs.items()
             if adapts and first_convolution.is_adaptable(name, here, there)]
  for name in adapted:
    del differs[name]
  return differs, adapted


def loadable(options) -> Optional[Callable[[str], bool]]:
  """Returns a function: whether a warm start can load a variable of a name.

  A run that resumes is built as when it started, from the same checkpoint.

  Args:
    options: an `options.WarmStart`.

  Returns:
    None without a checkpoint_path, or if there is no checkpoint any more.

  Raises:
    ValueError: the checkpoint is damaged.
  """
  if not options.checkpoint_path:
    return None
  try:
    checkpoint = checkpoint_reader.find(options.checkpoint_path)
  except ValueError:
    # A run that resumes needs it no longer; `plan` says so to any other.
    return None
  shapes = checkpoint_reader.shapes_in(checkpoint)
  excluded = tuple(options.checkpoint_exclude_scopes)
  return lambda name: not name.startswith(excluded) and (
      foreign_names.find(name, shapes, options.checkpoint_scope) is not None)


def load_adapted(warm_start: Plan, session):
  """Gives a session the adapted weights; adds nothing to its graph.

  Raises:
    tf.errors.OpError: the checkpoint cannot be read.
  """
  reader = tf.train.NewCheckpointReader(warm_start.checkpoint)
  for name, variable in warm_start.adapted.items():
    variable.load(first_convolution.adapt(
        reader.get_tensor(name), variable.shape.as_list()[-2]), session)


def new_heads(warm_start: Plan, width: int) -> List[tf.Variable]:
  """Returns the variables of last layers that a warm start does not load.

  Args:
    warm_start: what it does.
    width: that of the last layers. Auxiliary heads have layers before these.
  """
  return [variable for variable in slim.get_model_variables()
          if shape_mismatch.is_head(variable.op.name)
          and variable.shape.as_list()[-1] == width
          and variable not in warm_start.loaded.values()]


def load_zeros(variables, session):
  """Sets variables to 0; adds nothing to the session's graph."""
  for variable in variables:
    variable.load(np.zeros(variable.shape.as_list(), np.float32), session)


def describe(warm_start: Plan) -> List[str]:
  """Returns the lines of a table of what `plan` decided."""
  lines = ['Warm start from %s: %d variables loaded.' % (
      warm_start.checkpoint, len(warm_start.loaded))]
  for title, names in (
      ('adapted', [v.op.name for v in warm_start.adapted.values()]),
      ('excluded', warm_start.excluded),
      ('shape differs', warm_start.differs),
      ('not in checkpoint', warm_start.missing),
      ('unused', warm_start.unused)):
    if names:
      lines.append('  %-18s %4d  %s' % (title, len(names), _some(names)))
  if warm_start.differs:
    here, there = next(iter(warm_start.differs.values()))
    lines.append(
        "  The checkpoint's head has %d classes, the dataset %d: the head is "
        'not loaded.' % (there[-1], here[-1]))
  if warm_start.missing:
    lines.append(
        '  Variables that are not in the checkpoint keep their initial values.')
  if warm_start.stuck:
    lines.append(
        '  Warning: %d variables are neither loaded nor trained: %s. Add their '
        'scope to --trainable_scopes.' % (
            len(warm_start.stuck), _some(warm_start.stuck)))
  return lines


def variables_to_train(options):
  """Returns the trainable variables in trainable_scopes, or all of them.

  Raises:
    ValueError: a scope matches nothing, or is not a regular expression.
  """
  variables = tf.trainable_variables()
  return _union('--trainable_scopes', variables, collections.OrderedDict(
      (pattern.pattern, [v for v in variables if pattern.match(v.name)])
      for pattern in patterns(options.trainable_scopes))) or variables


def patterns(scopes):
  """Compiles trainable_scopes, regular expressions.

  Each is matched against the start of the names of variables.

  Raises:
    ValueError: one is not a regular expression.
  """
  compiled = []
  for scope in scopes:
    try:
      compiled.append(re.compile(scope))
    except re.error as error:
      raise ValueError(
          '--trainable_scopes: %s is not a regular expression: %s.' % (
              scope, error))
  return compiled


def _union(flag, variables, in_scope):
  """Returns the variables in the scopes, each of which must have one."""
  chosen = []
  for scope, found in in_scope.items():
    if not found:
      scopes = sorted({prefix for v in variables for prefix in
                       itertools.accumulate(v.op.name.split('/')[:-1],
                                            '{}/{}'.format)})
      near = suggest.nearest(scope, scopes, 3, cutoff=0.4) or scopes[:3]
      raise ValueError(
          '%s: no variable is in the scope %s; the nearest scopes are %s' % (
              flag, scope, ', '.join(near)))
    chosen += [variable for variable in found if variable not in chosen]
  return chosen


def _check_found(checkpoint, wanted, missing, options, theirs):
  """Raises ValueError if the checkpoint lacks what it should have."""
  backbone = [
      name for name in wanted if not shape_mismatch.is_head(name)] or wanted
  found = sum(name not in missing for name in backbone)
  minimum = 0 if options.ignore_missing_vars else (
      _MIN_FRACTION_FOUND * len(backbone))
  if found < minimum or (wanted and len(missing) == len(wanted)):
    raise ValueError(
        'The checkpoint %s has %d of the %d variables wanted: %s' % (
            checkpoint, found, len(backbone),
            _cause_of_missing(missing, wanted, theirs)))
  if (missing and options.checkpoint_exclude_scopes and
      not options.ignore_missing_vars):
    raise ValueError(
        'The checkpoint %s lacks %d variables of the network: %s. Give their '
        'scope with --checkpoint_exclude_scopes, or pass '
        '--ignore_missing_vars.' % (checkpoint, len(missing), _some(missing)))


def _cause_of_missing(missing, wanted, theirs):
  """Returns why many variables are missing, and what to type."""
  if all(map(foreign_names.is_statistic, missing)):
    return ('it lacks the statistics of batch normalization (moving_mean, '
            'moving_variance). Pass --ignore_missing_vars to train them.')
  explained = foreign_names.explain(wanted, theirs)
  return 'it belongs to another network. %s' % (
      explained or 'Check --model_name.')


def _check_shapes(checkpoint, differs, theirs, ours, options):
  """Raises ValueError for shapes that differ outside a new head."""
  if not differs:
    return
  # All of a head's variables end with the number of classes.
  is_head = len({(tuple(here[-1:]), tuple(there[-1:]))
                 for here, there in differs.values()}) == 1 and all(
                     here[:-1] == there[:-1] and len(here) == len(there)
                     for here, there in differs.values())
  first = next(iter(differs))
  here, there = differs[first]
  if not is_head or {here[-1], there[-1]} == {1000, 1001}:
    cure = ' '.join(filter(None, [
        shape_mismatch.cause(first, theirs, ours),
        first_convolution.hint(first, here, there)]))
  elif options.checkpoint_exclude_scopes:
    cure = ('The checkpoint was trained for %d classes and this run has %d; '
            'add the scope to --checkpoint_exclude_scopes, or give no scope '
            'and the head is not loaded.' % (there[-1], here[-1]))
  else:
    return
  raise ValueError(
      '%d variables have another shape in the checkpoint %s, such as %s: %s '
      'here, %s there. %s' % (
          len(differs), checkpoint, first, here, there, cure))


def _some(names, limit=4):
  names = list(names)
  return ', '.join(names[:limit]) + (', ...' if len(names) > limit else '')
