"""Builds a MobileNet V2 or V3 from a definition.

A definition (`conv_defs`) is a dict:

  'spec': list of layers made by `op`, in order. Layer k is the end point
      `layer_<k>`, counted from 1; tensors in its scope whose names end in
      `output` are end points too, for example `layer_<k>/output`.
  'defaults': dict from a tuple of functions to a dict of default arguments.
      Optional.
  'overrides': the same, with precedence over the defaults. Optional.
"""
import collections
import contextlib
import inspect
import itertools

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import layouts
from nets import normalization
from nets.mobilenet import conv_blocks

_Op = collections.namedtuple('Op', ['op', 'params', 'multiplier_func'])
_Op.__doc__ = """One layer of a definition, returned by `op`.

Attributes:
  op: function that builds the layer of (tensor, **params).
  params: dict of its arguments.
  multiplier_func: function of (params, multiplier) that scales it in place.
"""
# A layer of a definition, ready to be built.
_Layer = collections.namedtuple('Layer', ['name', 'op', 'params', 'rate'])
_PADDED_LAYERS = (slim.conv2d, slim.separable_conv2d)


class NoOpScope:
  """A context manager that does nothing."""

  def __enter__(self):
    pass

  def __exit__(self, exc_type, exc_value, traceback):
    return False


def safe_arg_scope(funcs, **kwargs):
  """Returns `slim.arg_scope(funcs, ...)` of the arguments that are not None.

  Args:
    funcs: functions decorated with `slim.add_arg_scope`.
    **kwargs: their arguments.

  Returns:
    A context manager, `NoOpScope` if all arguments are None.
  """
  given = _given(**kwargs)
  return slim.arg_scope(funcs, **given) if given else NoOpScope()


def _given(**kwargs):
  return {name: value for name, value in kwargs.items() if value is not None}


@slim.add_arg_scope
def depth_multiplier(output_params, multiplier, divisible_by=8, min_depth=8,
                     **unused_kwargs):
  """Scales `num_outputs` of a layer in place, if it has that argument.

  Args:
    output_params: dict of the arguments of the layer.
    multiplier: factor, float.
    divisible_by: divisor of the result.
    min_depth: minimum result.
    **unused_kwargs: ignored.
  """
  if 'num_outputs' in output_params:
    output_params['num_outputs'] = layer_utils.make_divisible(
        output_params['num_outputs'] * multiplier, divisible_by, min_depth)


def op(opfunc, multiplier_func=depth_multiplier, **params):
  """Declares one layer of a definition.

  Args:
    opfunc: function that builds the layer of (tensor, **params). It receives
      `stride`; with `output_stride`, `rate`; and with explicit padding,
      `use_explicit_padding`, or its input is padded if it has `kernel_size`.
    multiplier_func: function of (params, multiplier) that scales the layer in
      place; `multiplier_transform`, its former name, is accepted too.
    **params: arguments of the layer.

  Returns:
    A named tuple (op, params, multiplier_func).
  """
  multiplier_func = params.pop('multiplier_transform', multiplier_func)
  return _Op(opfunc, params, multiplier_func)


def keep_last_layer(conv_defs):
  """Returns `conv_defs` with a last layer that no depth multiplier scales.

  Narrow networks classify ImageNet better with the last layer at full width.
  """
  _check_definition(conv_defs)
  last = conv_defs['spec'][-1]._replace(
      multiplier_func=lambda params, multiplier: None)
  return dict(conv_defs, spec=list(conv_defs['spec'][:-1]) + [last])


def depth_rounding(min_depth=None, divisible_by=None):
  """Returns a scope of the rounding of `depth_multiplier`; None: defaults."""
  return safe_arg_scope(
      [depth_multiplier], min_depth=min_depth, divisible_by=divisible_by)


def apply_activation(x, name=None, activation_fn=None):
  """Returns `activation_fn(x, name=name)`, or `x` if there is no function."""
  return activation_fn(x, name=name) if activation_fn else x


@contrib_scopes.reach
@slim.add_arg_scope
def mobilenet_base(inputs, conv_defs, multiplier=1.0, final_endpoint=None,
                   output_stride=None, use_explicit_padding=False, scope=None,
                   is_training=False):
  """Builds the layers of a definition, without pooling and logits.

  Args:
    inputs: float [batch, height, width, channels].
    conv_defs: definition, see the module's docstring.
    multiplier: factor of the channels of every layer, above 0.
    final_endpoint: last layer to build, `layer_<k>`; None for all layers.
    output_stride: maximum ratio of input size to output size; strides beyond
      it are replaced by dilation. None keeps all strides.
    use_explicit_padding: whether to pad independently of the input size,
      instead of with SAME.
    scope: variable scope, a name or a `tf.VariableScope`.
    is_training: whether batch normalization is in training mode. It is usually
      set by `training_scope`; None leaves it to the argument scope of
      `slim.batch_norm`.

  Returns:
    net: result of the last layer, float [batch, height', width', channels'].
    end_points: dict from name to tensor.

  Raises:
    ValueError: an argument is invalid; nothing is built.
  """
  _check(inputs, conv_defs, multiplier, final_endpoint, output_stride)
  end_points = {}
  scopes = {}
  with contextlib.ExitStack() as stack:
    stack.enter_context(conv_blocks.open_scope(scope, 'Mobilenet'))
    stack.enter_context(
        safe_arg_scope([slim.batch_norm], is_training=is_training))
    _enter_arguments(stack, conv_defs.get('defaults', {}))
    _enter_arguments(stack, conv_defs.get('overrides', {}))
    if use_explicit_padding:
      stack.enter_context(slim.arg_scope(_PADDED_LAYERS, padding='VALID'))
    net = inputs
    for layer in _layers(conv_defs['spec'], multiplier, output_stride):
      net = _build(net, layer, use_explicit_padding)
      end_points[layer.name] = net
      scopes[net.op.name.rpartition('/')[0]] = layer.name
      if layer.name == final_endpoint:
        break
  end_points.update(_named_outputs(net.graph, scopes))
  return net, end_points


def _check(inputs, conv_defs=None, multiplier=1.0, final_endpoint=None,
           output_stride=None, **_):
  """Raises ValueError if a network cannot be built of these arguments."""
  if inputs.shape.ndims != 4:
    raise ValueError('inputs has shape %s; give images of rank 4, '
                     '[batch, height, width, channels].' % inputs.shape)
  layouts.check('MobileNet')
  _check_definition(conv_defs)
  _check_multiplier('multiplier', multiplier)
  spec = conv_defs['spec']
  if final_endpoint is not None:
    layer_utils.check_final_endpoint(
        final_endpoint, [_name(number) for number in range(len(spec))],
        'this definition')
  if output_stride is None:
    return
  reached = [1] + list(itertools.accumulate(
      (layer.params.get('stride', 1) for layer in spec),
      lambda total, stride: total * stride))
  if output_stride not in reached and not output_stride > reached[-1]:
    raise ValueError(
        'output_stride is %s; allowed are None, %s, or more.' % (
            output_stride, ', '.join(map(str, sorted(set(reached))))))


def _check_definition(conv_defs):
  if not isinstance(conv_defs, dict) or not conv_defs.get('spec'):
    raise ValueError(
        "conv_defs is %r; give a dict whose 'spec' is a list of "
        'mobilenet.op(...), for example mobilenet_v2.V2_DEF.' % (conv_defs,))
  for layer in conv_defs['spec']:
    if not isinstance(layer, _Op):
      raise ValueError(
          "conv_defs['spec'] contains %r; make every layer with "
          'mobilenet.op(function, **arguments).' % (layer,))


def _check_multiplier(name, value):
  if not value > 0:
    raise ValueError('%s is %s; it must be above 0, 1.0 for the full width.' % (
        name, value))


def check_depth_multiplier(value, others):
  """Raises ValueError for a bad value or an argument named `multiplier`."""
  if 'multiplier' in others:
    raise ValueError(
        'multiplier=%s is not an argument here; give depth_multiplier.' % (
            others['multiplier'],))
  _check_multiplier('depth_multiplier', value)


def _name(number):
  return 'layer_%d' % (number + 1)


def _enter_arguments(stack, arguments):
  """Enters an arg scope for each entry: functions, dict of arguments."""
  for functions, values in dict(arguments).items():
    stack.enter_context(slim.arg_scope(functions, **values))


def _layers(spec, multiplier, output_stride):
  """Yields the layers, scaled, with dilation in place of strides."""
  strides = [layer.params.get('stride', 1) for layer in spec]
  placed = layer_utils.strides_and_rates(strides, output_stride)
  for number, (layer, (stride, rate)) in enumerate(zip(spec, placed)):
    params = dict(layer.params)
    layer.multiplier_func(params, multiplier)
    params['stride'] = stride
    if rate > 1 and params.get('kernel_size') not in (1, (1, 1), [1, 1]):
      params['rate'] = rate
    yield _Layer(_name(number), layer.op, params, rate)


def _build(net, layer, use_explicit_padding):
  """Builds one layer."""
  params = layer.params
  if 'rate' in params and not _takes(layer.op, 'rate'):
    raise ValueError(
        '%s (%s) cannot be dilated, which output_stride requires; stop before '
        'it with final_endpoint, or omit output_stride.' % (
            layer.name, getattr(layer.op, '__name__', layer.op)))
  if use_explicit_padding:
    if _takes(layer.op, 'use_explicit_padding'):
      params['use_explicit_padding'] = True
    elif 'kernel_size' in params:
      net = layer_utils.fixed_padding(net, params['kernel_size'], layer.rate)
  return layer.op(net, **params)


def _takes(function, name):
  parameters = inspect.signature(function).parameters
  return name in parameters or any(
      parameter.kind is parameter.VAR_KEYWORD
      for parameter in parameters.values())


def _named_outputs(graph, scopes):
  """Returns the tensors in the scopes of layers whose names end in output."""
  found = {}
  for operation in graph.get_operations():
    if operation.name.endswith('output'):
      scope, _, name = operation.name.rpartition('/')
      if scope in scopes:
        found['%s/%s' % (scopes[scope], name)] = operation.outputs[0]
  return found


@contrib_scopes.reach
@slim.add_arg_scope
def mobilenet(inputs, num_classes=1001, prediction_fn=slim.softmax, reuse=None,
              scope='Mobilenet', base_only=False,
              use_reduce_mean_for_pooling=False, **mobilenet_args):
  """Builds a network of a definition: layers, pooling, logits, predictions.

  Args:
    inputs: float [batch, height, width, channels].
    num_classes: number of classes; None or 0 to return pooled features.
    prediction_fn: function of (logits, scope); None for no predictions.
    reuse: whether to reuse existing variables.
    scope: variable scope.
    base_only: whether to stop before the pooling.
    use_reduce_mean_for_pooling: see `global_pool`.
    **mobilenet_args: passed to `mobilenet_base`; `conv_defs` is required.

  Returns:
    net: float logits [batch, num_classes]; features [batch, 1, 1, channels]
      without classes; feature map if `base_only`.
    end_points: dict from name to tensor: the layers, `global_pool`, `Logits`
      and `Predictions`.

  Raises:
    ValueError: an argument is invalid; nothing is built.
  """
  _check(inputs, **mobilenet_args)
  is_training = mobilenet_args.get('is_training', False)
  with tf.variable_scope(scope, 'Mobilenet', reuse=reuse) as opened:
    inputs = tf.identity(inputs, 'input')
    net, end_points = mobilenet_base(inputs, scope=opened, **mobilenet_args)
    if base_only:
      return net, end_points
    net = tf.identity(net, name='embedding')
    with tf.variable_scope('Logits'):
      net = global_pool(net, use_reduce_mean_for_pooling)
      end_points['global_pool'] = net
      if not num_classes:
        return net, end_points
      net = slim.dropout(net, scope='Dropout', is_training=is_training)
      net = slim.conv2d(
          net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None,
          biases_initializer=tf.zeros_initializer(), scope='Conv2d_1c_1x1')
      logits = tf.identity(
          tf.squeeze(net, layouts.spatial_axes()), name='output')
    end_points['Logits'] = logits
    if prediction_fn:
      end_points['Predictions'] = prediction_fn(logits, 'Predictions')
  return logits, end_points


def global_pool(input_tensor, use_reduce_mean_for_pooling=False,
                pool_op=tf.nn.avg_pool2d):
  """Pools over the whole feature map.

  Args:
    input_tensor: float [batch, height, width, channels].
    use_reduce_mean_for_pooling: whether to average with `tf.reduce_mean`,
      which some converters prefer. It is always used where height or width is
      unknown when the graph is built.
    pool_op: pooling function otherwise, with the arguments of
      `tf.nn.avg_pool2d`.

  Returns:
    float [batch, 1, 1, channels].

  Raises:
    ValueError: the size is unknown and `pool_op` is given.
  """
  height, width = layouts.size(input_tensor)
  if height is None or width is None:
    if pool_op is not tf.nn.avg_pool2d:
      raise ValueError(
          'pool_op is %r, but height and width of the feature map are '
          'unknown (%s); give images of a fixed size, or omit pool_op.' % (
              pool_op, input_tensor.shape))
    use_reduce_mean_for_pooling = True
  if use_reduce_mean_for_pooling:
    return layouts.average(input_tensor, name='ReduceMean')
  window, options = [1, height, width, 1], {}
  if layouts.current() == 'NCHW':
    window, options = [1, 1, height, width], {'data_format': 'NCHW'}
  return pool_op(input_tensor, ksize=window, strides=[1] * 4, padding='VALID',
                 **options)


def training_scope(is_training=True, weight_decay=0.00004, stddev=0.09,
                   dropout_keep_prob=0.8, bn_decay=0.997):
  """Returns the argument scope of MobileNet V2 and V3.

  Args:
    is_training: whether batch normalization and dropout are in training mode;
      None to leave batch normalization to an outer scope.
    weight_decay: coefficient of L2 regularization of all but the depthwise
      convolutions.
    stddev: standard deviation of the truncated normal initializer; Xavier
      initialization if negative.
    dropout_keep_prob: fraction of features kept by dropout.
    bn_decay: decay of the moving averages; None for the default of
      `slim.batch_norm`.
  """
  initializer = (slim.initializers.xavier_initializer() if stddev < 0 else
                 tf.truncated_normal_initializer(stddev=stddev))
  arguments = {
      conv_blocks.LAYERS: {'weights_initializer': initializer,
                           'normalizer_fn': normalization.batch_norm},
      (mobilenet_base, mobilenet): {'is_training': is_training},
      (slim.batch_norm,): _given(decay=bn_decay, is_training=is_training),
      (slim.dropout,): _given(
          keep_prob=dropout_keep_prob, is_training=is_training),
      (slim.conv2d,): {
          'weights_regularizer': slim.l2_regularizer(weight_decay)},
      (slim.separable_conv2d,): {'weights_regularizer': None},
  }
  with contextlib.ExitStack() as stack:
    _enter_arguments(stack, arguments)
    return slim.current_arg_scope()
