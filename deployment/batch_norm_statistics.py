"""Batch normalization of several clones and workers: whose statistics count.

A layer in training mode normalizes with a mean and a variance, and updates its
moving averages, which evaluation uses. With several clones:

1. first_clone: each clone normalizes with the statistics of its own part of the
   batch; those of the first clone are averaged. This is slim's layer.
2. all_clones: each clone normalizes with its own statistics; those of all
   clones are averaged, one clone after the other, so that the averages follow
   the training as many times faster.
3. synchronized: all clones normalize with the statistics of the joined batch,
   whose gradients reach every clone. Clones and workers then train like one
   device with the joined batch, also if the part of each is small.

  with batch_norm_statistics.of_clones('synchronized', config.num_clones):
    clones = model_deploy.create_clones(config, model_fn)

The clones are built one after the other, so that a layer of the first cannot
know those of the others yet: it reads placeholders, which are connected once
all clones are there.
"""
import collections
import contextlib
import dataclasses
from typing import Any, Callable, List, Optional

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import normalization

FIRST_CLONE, ALL_CLONES, SYNCHRONIZED = MODES = (
    'first_clone', 'all_clones', 'synchronized')
# Marks a graph in which the loss of a clone depends on all clones.
_SYNCHRONIZED_MARK = 'synchronized_batch_norm'
# Arguments of slim.batch_norm that change what statistics are, and the values
# with which they do not.
_PLAIN = {'batch_weights': (None,), 'zero_debias_moving_mean': (False,),
          'renorm': (False,), 'adjustment': (None,)}
# In the order in which slim creates them.
_VARIABLES = ('gamma', 'beta', 'moving_mean', 'moving_variance')


@dataclasses.dataclass(frozen=True)
class _Call:
  """A layer of one clone.

  Attributes:
    mean, variance: float32, of each channel of the clone's part of the batch,
      with the rank of the layer's inputs.
    joint_mean, joint_variance: placeholders, identities of these for now, of
      the statistics that the clone normalizes with.
    count: float32 scalar, number of values per channel.
    correction: whether the moving variance is the unbiased one.
    moving_mean, moving_variance: the variables.
    decay: decay of the moving averages.
    collections: where the update ops go.
    scope: name scope of the layer.
  """
  mean: Any
  variance: Any
  joint_mean: Any
  joint_variance: Any
  count: Any
  correction: bool
  moving_mean: Any
  moving_variance: Any
  decay: float
  collections: Any
  scope: str


def choose(options) -> str:
  """Returns the mode that an `options.Model` asks for.

  Raises:
    ValueError: its flags contradict each other, or exclude the mode.
  """
  mode = options.batch_norm_statistics
  if options.sync_batch_norm and mode not in (None, SYNCHRONIZED):
    raise ValueError(
        '--sync_batch_norm is --batch_norm_statistics=synchronized, but '
        '--batch_norm_statistics=%s is given: leave one out.' % mode)
  mode = mode or (SYNCHRONIZED if options.sync_batch_norm else FIRST_CLONE)
  if mode != FIRST_CLONE and options.quantize_delay >= 0:
    raise ValueError(
        '--quantize_delay=%d looks for the layers of slim: leave it out, or '
        'use --batch_norm_statistics=first_clone.' % options.quantize_delay)
  return mode


def describe(mode: str, num_clones: int, num_workers: int) -> List[str]:
  """Returns a line about a mode for the start of a run."""
  if mode == FIRST_CLONE or num_clones * num_workers == 1:
    return []
  return ['Batch normalization: %s.' % (
      'the statistics of %d clones are averaged in turn' % num_clones
      if mode == ALL_CLONES else 'the statistics are those of %d clones '
      'joined' % (num_clones * num_workers))]


@contextlib.contextmanager
def of_clones(mode: str, num_clones: int,
              exchange: Optional[Callable] = None):
  """Builds the clones inside with one of the modes above.

  The update ops of the moving averages are those of the first clone, as
  `model_deploy.deploy` expects them.

  Args:
    mode: one of MODES.
    num_clones: number of clones, which get equal parts of the batch.
    exchange: function of a tensor that returns its mean over all workers, with
      the gradient of that; None for a single worker.

  Raises:
    ValueError: there is no such mode, a layer has arguments for which it is not
      defined, or clones differ in their layers.
  """
  if mode not in MODES:
    raise ValueError('batch_norm_statistics is %r; it must be %s or %s.' % (
        mode, ', '.join(MODES[:-1]), MODES[-1]))
  if mode == FIRST_CLONE or num_clones == 1 and exchange is None:
    yield
    return
  calls = collections.OrderedDict()

  def batch_norm(*args, **kwargs):
    arguments = dict(normalization.scoped_arguments(), **kwargs)
    is_training = arguments.get('is_training', True)
    if not tf.is_tensor(is_training) and not is_training:
      return slim.batch_norm(*args, **kwargs)
    return _layer(mode, calls, *args, **arguments)

  with normalization.implementation(batch_norm):
    yield
  for name, of_layer in calls.items():
    _check_number(name, len(of_layer), num_clones)
    per_clone = len(of_layer) // num_clones
    for i in range(per_clone):
      _connect(mode, of_layer[i::per_clone], exchange)


def are_synchronized() -> bool:
  """Whether the loss of a clone in this graph depends on all clones."""
  return bool(tf.get_collection(_SYNCHRONIZED_MARK))


def _check_number(name, number, num_clones):
  if number % num_clones:
    raise ValueError(
        'The batch normalization %s was built %d times by %d clones. All '
        'clones must have the same layers.' % (name, number, num_clones))


def _layer(mode, calls, inputs, decay=0.999, center=True, scale=False,
           epsilon=0.001, activation_fn=None, param_initializers=None,
           param_regularizers=None,
           updates_collections=tf.GraphKeys.UPDATE_OPS, is_training=True,
           reuse=None, variables_collections=None, outputs_collections=None,
           trainable=True, fused=None, data_format='NHWC', scope=None,
           **others):
  """Does what slim.batch_norm does, with placeholders for the statistics."""
  inputs = tf.convert_to_tensor(inputs)
  with tf.variable_scope(scope, 'BatchNorm', [inputs], reuse=reuse) as layer:
    _check_arguments(layer.name, is_training, updates_collections, others)
    axis = 1 if data_format == 'NCHW' else inputs.shape.ndims - 1
    axes = [i for i in range(inputs.shape.ndims) if i != axis]
    gamma, beta, *moving = _variables(
        inputs, axis, (scale, center, True, True), param_initializers or {},
        param_regularizers or {}, variables_collections, trainable)
    values = tf.cast(inputs, moving[0].dtype.base_dtype)
    statistics = _moments(values, axes)
    gamma, beta = (
        tf.fill(statistics[0].shape, tf.cast(default, values.dtype))
        if variable is None else tf.reshape(variable, statistics[0].shape)
        for variable, default in ((gamma, 1), (beta, 0)))
    normalized_with = statistics
    if mode == SYNCHRONIZED:
      tf.add_to_collection(_SYNCHRONIZED_MARK, layer.name)
      normalized_with = [tf.identity(value) for value in statistics]
    calls.setdefault(layer.name, []).append(_Call(
        *statistics, *normalized_with,
        tf.cast(tf.size(inputs) / tf.size(statistics[0]), values.dtype),
        # As the fused kernel does, which slim uses where it can.
        fused is not False and inputs.shape.ndims in (2, 4),
        *moving, decay, updates_collections,
        tf.get_default_graph().get_name_scope() + '/'))
    outputs = tf.cast(_normalize(
        values, axes, *normalized_with, gamma, beta, epsilon), inputs.dtype)
    if activation_fn is not None:
      outputs = activation_fn(outputs)
    return slim.utils.collect_named_outputs(
        outputs_collections, layer.name, outputs)


def _check_arguments(name, is_training, updates_collections, others):
  faults = [argument for argument, value in others.items()
            if value not in _PLAIN.get(argument, (value,))]
  if is_training is not True:
    faults.append('is_training')
  if updates_collections is None:
    faults.append('updates_collections')
  if faults:
    raise ValueError(
        'The batch normalization %s has %s=%s, with which the statistics of '
        'several clones are not defined: use batch_norm_statistics=%r.' % (
            name, faults[0], dict(
                others, is_training=is_training,
                updates_collections=updates_collections)[faults[0]],
            FIRST_CLONE))


def _variables(inputs, axis, are_used, initializers, regularizers, collections_,
               trainable):
  """Returns those of _VARIABLES that are used, and None for the others."""
  # Half precision is too coarse for averages.
  dtype = tf.float64 if inputs.dtype == tf.float64 else tf.float32

  def make(name):
    default = (tf.zeros_initializer() if name in ('beta', 'moving_mean') else
               tf.ones_initializer())
    return slim.model_variable(
        name, shape=[int(inputs.shape[axis])], dtype=dtype,
        initializer=initializers.get(name, default),
        regularizer=regularizers.get(name),
        collections=slim.utils.get_variable_collections(collections_, name),
        trainable=trainable and not name.startswith('moving'))

  return [make(name) if is_used else None
          for name, is_used in zip(_VARIABLES, are_used)]


def _moments(inputs, axes):
  """Returns mean and variance of each channel, [1, ..., channels, ...].

  With gradients of a few operations each, as those below: TensorFlow would add
  a hundred to the graph for every layer.
  """

  @tf.custom_gradient
  def moments(values):
    mean, variance = tf.nn.moments(values, axes, keep_dims=True)

    def gradient(d_mean, d_variance):
      count = tf.size(values) / tf.size(mean)
      return (d_mean + 2 * d_variance * (values - mean)) / tf.cast(
          count, mean.dtype)

    return (mean, variance), gradient

  return moments(inputs)


def _normalize(inputs, axes, mean, variance, gamma, beta, epsilon):
  """Normalizes; all but the inputs have the shape of `_moments`."""

  @tf.custom_gradient
  def normalize(values, mean, variance, gamma, beta):
    inverse = tf.rsqrt(variance + epsilon)
    scale = gamma * inverse

    def gradient(d_outputs):
      d_beta = tf.reduce_sum(d_outputs, axes, keepdims=True)
      d_scale = tf.reduce_sum(
          d_outputs * (values - mean), axes, keepdims=True)
      return (d_outputs * scale, -d_beta * scale,
              -0.5 * d_scale * scale * tf.square(inverse), d_scale * inverse,
              d_beta)

    return (values - mean) * scale + beta, gradient

  outputs = normalize(inputs, mean, variance, gamma, beta)
  outputs.set_shape(inputs.shape)
  return outputs


def _connect(mode, calls, exchange):
  """Connects one layer of all clones, and updates its moving averages."""
  first = calls[0]
  with tf.name_scope(first.scope), tf.device(first.mean.device):
    updates = [(call.mean, _corrected(call, call.variance, call.count))
               for call in calls]
    if mode == SYNCHRONIZED:
      mean, variance, count = _joint(calls, exchange)
      for call in calls:
        # pylint: disable=protected-access
        call.joint_mean.op._update_input(0, mean)
        call.joint_variance.op._update_input(0, variance)
      updates = [(mean, _corrected(first, variance, count))]
    for variable, values in zip(
        (first.moving_mean, first.moving_variance), zip(*updates)):
      tf.add_to_collections(
          first.collections, _move(variable, values, first.decay))


def _joint(calls, exchange):
  """Returns mean, variance and count of the parts joined."""
  means = tf.stack([call.mean for call in calls])
  mean = tf.reduce_mean(means, 0)
  # The mean of the variances alone would miss how far the means are apart.
  variance = tf.reduce_mean(
      tf.stack([call.variance for call in calls]) +
      tf.squared_difference(means, mean), 0)
  count = calls[0].count * len(calls)
  if exchange is None:
    return mean, variance, count
  # One exchange for both, as the mean of the squares. They are relative to a
  # number that all workers know: squares of large means would swallow the
  # variance.
  origin = tf.stop_gradient(tf.reshape(
      calls[0].moving_mean.read_value(), mean.shape))
  shifted = mean - origin
  both = exchange(tf.stack([shifted, variance + tf.square(shifted)]))
  shifted, squares = tf.unstack(both)
  return (origin + shifted, tf.maximum(squares - tf.square(shifted), 0.0),
          count * exchange.size)


def _corrected(call, variance, count):
  """Returns what the moving variance averages."""
  if not call.correction:
    return variance
  return variance * (count / tf.maximum(count - 1, 1))


def _move(variable, values, decay):
  """Returns the op that moves an average to each of the values in turn."""
  update = None
  for value in values:
    with tf.control_dependencies([] if update is None else [update]):
      update = tf.assign_sub(
          variable, (variable.read_value() - tf.reshape(value, [-1])) *
          (1 - decay))
  return update
