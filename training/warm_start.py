"""What a run starts from, and which variables it trains.

1. train_dir holds a checkpoint: the run goes on from it, and checkpoint_path
   is ignored, which is said.
2. checkpoint_path is given: the model variables that fit are loaded, the
   others keep their initial values (a warm start).
3. Otherwise everything starts from its initial value.

In a warm start each model variable meets one of these fates:

  excluded: it lies in one of checkpoint_exclude_scopes; not loaded.
  loaded: the checkpoint has it, in the same shape.
  missing: the checkpoint lacks it. An error, unless ignore_missing_vars.
  differs: its shape there is another. An error, unless no scopes were given
    and it belongs to the layers whose width is the number of classes: these
    are initialised anew.
"""
import collections
import difflib
import itertools

import tensorflow.compat.v1 as tf
import tf_slim as slim

from training import checkpoints

# Less of the network than this found in a checkpoint means that it is the
# checkpoint of another network.
_LEAST_SHARE_FOUND = 0.9

Plan = collections.namedtuple('Plan', 'checkpoint loaded fresh unused')


def plan(options):
  """Decides what a warm start loads; the network must have been built.

  Args:
    options: an `options.WarmStart` with a checkpoint_path.

  Returns:
    A Plan: the checkpoint's prefix, the variables to load, the names of those
    initialised anew, the names in the checkpoint that are not used.

  Raises:
    ValueError: no checkpoint, a scope that matches nothing, a variable that is
      missing or does not fit.
  """
  checkpoint = checkpoints.find(options.checkpoint_path)
  shapes = tf.train.NewCheckpointReader(
      checkpoint).get_variable_to_shape_map()
  variables = slim.get_model_variables()
  excluded = _matching(variables, options.checkpoint_exclude_scopes,
                       '--checkpoint_exclude_scopes')
  wanted = [variable for variable in variables if variable not in excluded]
  missing = [v for v in wanted if v.op.name not in shapes]
  differs = [v for v in wanted if v.op.name in shapes
             and v.shape.as_list() != shapes[v.op.name]]
  loaded = [v for v in wanted if v not in missing and v not in differs]
  _check_found(checkpoint, wanted, loaded + differs)
  _check_shapes(checkpoint, differs, shapes, options)
  if missing and not options.ignore_missing_vars:
    raise ValueError(
        'The checkpoint %s lacks %d variables of the network: %s. Give their '
        'scope with --checkpoint_exclude_scopes, or pass '
        '--ignore_missing_vars.' % (checkpoint, len(missing), _some(missing)))
  fresh = [v.op.name for v in excluded + missing + differs]
  names = {variable.op.name for variable in variables}
  unused = sorted(name for name in shapes if name not in names)
  return Plan(checkpoint, loaded, fresh, unused)


def describe(warm_start):
  """Returns lines that say what `plan` decided."""
  lines = ['Warm start from %s: %d variables loaded.' % (
      warm_start.checkpoint, len(warm_start.loaded))]
  if warm_start.fresh:
    lines.append('  Initialised anew: %d, %s' % (
        len(warm_start.fresh), ', '.join(warm_start.fresh)))
  if warm_start.unused:
    lines.append('  In the checkpoint but not used: %d, %s' % (
        len(warm_start.unused), _shorten(warm_start.unused)))
  return lines


def variables_to_train(options):
  """Returns the trainable variables in trainable_scopes, or all of them.

  Raises:
    ValueError: a scope matches nothing.
  """
  variables = tf.trainable_variables()
  chosen = []
  for scope in options.trainable_scopes:
    # A scope is a regular expression that matches the beginning of a name.
    found = tf.trainable_variables(scope)
    if not found:
      raise ValueError(_nothing_matches('--trainable_scopes', scope, variables))
    chosen += [variable for variable in found if variable not in chosen]
  return chosen or variables


def _matching(variables, scopes, flag):
  """Returns the variables whose name begins with one of the scopes."""
  chosen = []
  for scope in scopes:
    found = [v for v in variables if v.op.name.startswith(scope)]
    if not found:
      raise ValueError(_nothing_matches(flag, scope, variables))
    chosen += [variable for variable in found if variable not in chosen]
  return chosen


def _nothing_matches(flag, scope, variables):
  scopes = sorted({
      prefix for variable in variables
      for prefix in itertools.accumulate(
          variable.op.name.split('/')[:-1], '{}/{}'.format)})
  near = difflib.get_close_matches(scope, scopes, n=3, cutoff=0.4)
  return '%s: no variable is in the scope %s; the nearest scopes are %s' % (
      flag, scope, ', '.join(near or scopes[:3]))


def _check_found(checkpoint, wanted, found):
  if len(found) >= _LEAST_SHARE_FOUND * len(wanted):
    return
  raise ValueError(
      'The checkpoint %s has %d of the %d variables wanted: it belongs to '
      'another network. Check --model_name.' % (
          checkpoint, len(found), len(wanted)))


def _check_shapes(checkpoint, differs, shapes, options):
  """Raises ValueError for shapes that differ for no good reason."""
  if not differs:
    return
  ours = {v.shape.as_list()[-1] for v in differs}
  theirs = {shapes[v.op.name][-1] for v in differs}
  # All of a head's variables end with the number of classes.
  is_head = len(ours) == 1 and len(theirs) == 1 and all(
      v.shape.as_list()[:-1] == shapes[v.op.name][:-1] for v in differs)
  if is_head and not options.checkpoint_exclude_scopes:
    return
  first = differs[0]
  if is_head:
    cure = ('The checkpoint was trained for %d classes and this run has %d; '
            'add the scope to --checkpoint_exclude_scopes, or give no scope '
            'and the head is initialised anew.' % (theirs.pop(), ours.pop()))
  else:
    cure = 'It belongs to another network or width; check --model_name.'
  raise ValueError(
      '%d variables have another shape in the checkpoint %s, such as %s: %s '
      'here, %s there. %s' % (
          len(differs), checkpoint, first.op.name, first.shape.as_list(),
          shapes[first.op.name], cure))


def _some(variables):
  return _shorten([variable.op.name for variable in variables])


def _shorten(names, most=4):
  return ', '.join(names[:most]) + (', ...' if len(names) > most else '')
