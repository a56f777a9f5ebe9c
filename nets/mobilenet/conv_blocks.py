"""Blocks of the MobileNets: inverted residual, split convolution, gate.

M. Sandler et al.: MobileNetV2: inverted residuals and linear bottlenecks
(2018), https://arxiv.org/abs/1801.04381
A. Howard et al.: Searching for MobileNetV3 (2019),
https://arxiv.org/abs/1905.02244
"""
import contextlib
import functools

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import layer_utils
from nets import layouts

_DEPTHWISE_LOCATIONS = (None, 'input', 'expansion', 'output')


def expand_input_by_factor(n, divisible_by=8):
  """Returns an `expansion_size` of `n` times the channels of the input.

  Args:
    n: factor, int or float.
    divisible_by: divisor of the result.

  Returns:
    A function of the keyword argument `num_inputs`.
  """
  return lambda num_inputs, **_: layer_utils.make_divisible(
      num_inputs * n, divisible_by)


def split_divisible(num, num_ways, divisible_by=8):
  """Splits a number of channels into nearly equal multiples of `divisible_by`.

  Args:
    num: channels, a multiple of `divisible_by`.
    num_ways: number of parts.
    divisible_by: divisor of all parts.

  Returns:
    A list of `num_ways` ints whose sum is `num`.

  Raises:
    ValueError: `num` is not a multiple, or too small for that many parts.
  """
  if num % divisible_by or num // num_ways < divisible_by:
    raise ValueError(
        'num=%d cannot be split into num_ways=%d multiples of divisible_by=%d; '
        'it must be a multiple of %d and at least %d.' % (
            num, num_ways, divisible_by, divisible_by, num_ways * divisible_by))
  # Each boundary is rounded up to a multiple.
  bounds = [-(-num * way // (num_ways * divisible_by)) * divisible_by
            for way in range(num_ways + 1)]
  return [end - start for start, end in zip(bounds, bounds[1:])]


def split_conv(input_tensor, num_outputs, num_ways, scope, divisible_by=8,
               **kwargs):
  """Applies a 1x1 convolution, split into independent groups of channels.

  Args:
    input_tensor: float [batch, height, width, channels].
    num_outputs: channels of the result.
    num_ways: number of groups; 1 for an ordinary convolution.
    scope: name of the layer; group k of several is `<scope>_part_<k>`.
    divisible_by: divisor of the channels of a group. Where a group would be
      smaller, the convolution is not split.
    **kwargs: passed to `slim.conv2d`.

  Returns:
    float [batch, height, width, num_outputs].
  """
  channels, axis = layouts.channels(input_tensor), layouts.channels_axis()
  narrowest = min(channels // num_ways, num_outputs // num_ways)
  if num_ways == 1 or narrowest < divisible_by:
    return slim.conv2d(input_tensor, num_outputs, [1, 1], scope=scope, **kwargs)
  pieces = tf.split(
      input_tensor, split_divisible(channels, num_ways, divisible_by), axis,
      name='split_' + scope)
  widths = split_divisible(num_outputs, num_ways, divisible_by)
  outputs = []
  for way, (piece, width) in enumerate(zip(pieces, widths)):
    part = '%s_part_%d' % (scope, way)
    net = slim.conv2d(piece, width, [1, 1], scope=part, **kwargs)
    outputs.append(tf.identity(net, part + '_output'))
  return tf.concat(outputs, axis, name=scope + '_concat')


@contextlib.contextmanager
def open_scope(scope, default_name):
  """Opens a variable scope and the name scope that it was first opened with.

  Args:
    scope: a name, a `tf.VariableScope` or None.
    default_name: name if `scope` is None; made unique.

  Yields:
    The `tf.VariableScope`.
  """
  with tf.variable_scope(scope, default_name=default_name) as opened:
    with tf.name_scope(opened.original_name_scope):
      yield opened


@slim.add_arg_scope
def split_separable_conv2d(input_tensor, num_outputs, scope=None,
                           normalizer_fn=None, stride=1, rate=1,
                           endpoints=None, use_explicit_padding=False):
  """Builds the layer of MobileNet V1: depthwise 3x3, then 1x1, activated.

  Args:
    input_tensor: float [batch, height, width, channels].
    num_outputs: channels of the result.
    scope: the two layers are `<scope>_depthwise` and `<scope>_pointwise`; if
      None, `depthwise` and `pointwise` in a scope `separable`.
    normalizer_fn: normalization after each of the two; None for biases.
    stride: stride of the depthwise convolution.
    rate: dilation of the depthwise convolution.
    endpoints: dict that receives the result of both layers under their names.
    use_explicit_padding: whether to pad with `layer_utils.fixed_padding`
      instead of SAME.

  Returns:
    float [batch, height / stride, width / stride, num_outputs].
  """
  with _prefix(scope, 'separable') as prefix:
    depthwise = _depthwise(
        input_tensor, (3, 3), rate, use_explicit_padding, stride=stride,
        depth_multiplier=1, normalizer_fn=normalizer_fn,
        scope=prefix + 'depthwise')
    net = slim.conv2d(
        depthwise, num_outputs, [1, 1], normalizer_fn=normalizer_fn,
        scope=prefix + 'pointwise')
  if endpoints is not None:
    endpoints[prefix + 'depthwise'] = depthwise
    endpoints[prefix + 'pointwise'] = net
  return net


@contextlib.contextmanager
def _prefix(scope, default_name):
  """Yields the prefix of the names of the layers of a block."""
  if scope is not None:
    yield scope + '_'
    return
  with open_scope(None, default_name):
    yield ''


def _depthwise(net, kernel_size, rate, use_explicit_padding=False,
               padding='SAME', depthwise_fn=slim.separable_conv2d, **kwargs):
  if use_explicit_padding:
    net = layer_utils.fixed_padding(net, kernel_size, rate)
    padding = 'VALID'
  return depthwise_fn(
      net, num_outputs=None, kernel_size=kernel_size, rate=rate,
      padding=padding, **kwargs)


@slim.add_arg_scope
def expanded_conv(
    input_tensor, num_outputs, expansion_size=expand_input_by_factor(6),
    stride=1, rate=1, kernel_size=(3, 3), residual=True, normalizer_fn=None,
    split_projection=1, split_expansion=1, split_divisible_by=8,
    expansion_transform=None, depthwise_location='expansion',
    depthwise_channel_multiplier=1, endpoints=None, use_explicit_padding=False,
    padding='SAME', inner_activation_fn=None, depthwise_activation_fn=None,
    project_activation_fn=tf.identity, depthwise_fn=slim.separable_conv2d,
    expansion_fn=split_conv, projection_fn=split_conv, scope=None):
  """Builds an inverted residual: 1x1 expansion, depthwise, 1x1 projection.

  Args:
    input_tensor: float [batch, height, width, channels].
    num_outputs: channels of the result.
    expansion_size: channels inside, an int or a function of `num_inputs`.
    stride, rate: stride and dilation of the depthwise layer.
    kernel_size: pair of ints, of the depthwise layer.
    residual: whether to add the input where stride is 1 and channels agree;
      or a function of `input_tensor` and `output_tensor`.
    normalizer_fn: normalization of every layer; None for biases.
    split_projection, split_expansion: number of groups, see `split_conv`.
    split_divisible_by: divisor of the channels of a group.
    expansion_transform: function of `expansion_tensor` and `input_tensor`.
    depthwise_location: what is filtered: 'input', 'expansion', 'output', None.
    depthwise_channel_multiplier: depthwise filters per channel.
    endpoints: dict that receives the result of each layer.
    use_explicit_padding: whether to pad with `layer_utils.fixed_padding`.
    padding: padding of the depthwise layer.
    inner_activation_fn: activation before the projection; None for default.
    depthwise_activation_fn: activation of the depthwise layer, if different.
    project_activation_fn: activation of the projection.
    depthwise_fn, expansion_fn, projection_fn: functions that build the layers.
    scope: variable scope; None for `expanded_conv` and a number.

  Returns:
    float [batch, height / stride, width / stride, num_outputs].
  """
  record = {} if endpoints is None else endpoints
  inner, middle = _activations(inner_activation_fn, depthwise_activation_fn)
  depthwise = _depthwise_layer(
      depthwise_location, record, middle, use_explicit_padding, padding,
      stride=stride, kernel_size=kernel_size, rate=rate,
      depthwise_fn=depthwise_fn, normalizer_fn=normalizer_fn,
      depth_multiplier=depthwise_channel_multiplier)
  expand = _grouped(expansion_fn, split_expansion, split_divisible_by)
  project = _grouped(projection_fn, split_projection, split_divisible_by)
  with open_scope(scope, 'expanded_conv'):
    source = tf.identity(input_tensor, 'input')
    net = _expand(depthwise('input', source), record, expansion_size, source,
                  expand, normalizer_fn=normalizer_fn, **inner)
    net = depthwise('expansion', net)
    if expansion_transform is not None:
      net = expansion_transform(expansion_tensor=net, input_tensor=source)
    net = record['projection_output'] = project(
        net, num_outputs, scope='project', normalizer_fn=normalizer_fn,
        activation_fn=project_activation_fn)
    net = _add_residual(source, depthwise('output', net), residual, stride)
    return tf.identity(net, 'output')


def _depthwise_layer(location, record, expansion_activation,
                     use_explicit_padding, padding, **layer):
  """Returns a function (here, net) that filters `net` at `location` only."""
  if location not in _DEPTHWISE_LOCATIONS:
    raise ValueError('depthwise_location is %r; allowed are %s.' % (
        location, ', '.join(map(repr, _DEPTHWISE_LOCATIONS))))
  if use_explicit_padding and padding != 'SAME':
    raise ValueError(
        "padding is %r; with use_explicit_padding it must be 'SAME'." % (
            padding,))

  def build(here, net):
    if here != location:
      return net
    activation = (expansion_activation if here == 'expansion' else
                  {'activation_fn': None})
    net = _depthwise(net, use_explicit_padding=use_explicit_padding,
                     padding=padding, scope='depthwise', **activation, **layer)
    net = record['depthwise_output'] = tf.identity(net, 'depthwise_output')
    return net

  return build


def _activations(inner, depthwise):
  """Returns arguments of the expansion and of the depthwise layer."""
  depthwise = inner if depthwise is None else depthwise
  return tuple({} if function is None else {'activation_fn': function}
               for function in (inner, depthwise))


def _expand(net, record, size, source, expansion_fn, **layer):
  """Adds the expansion if it exceeds the channels of its input."""
  size = size(num_inputs=layouts.channels(source)) if callable(size) else size
  if size <= layouts.channels(net):
    return net
  net = tf.identity(
      expansion_fn(net, size, scope='expand', **layer), 'expansion_output')
  record['expansion_output'] = net
  return net


def _add_residual(source, net, residual, stride):
  if callable(residual):
    return residual(input_tensor=source, output_tensor=net)
  same_depth = layouts.channels(source) == layouts.channels(net)
  return net + source if residual and stride == 1 and same_depth else net


def _grouped(function, num_ways, divisible_by):
  if function is not split_conv:
    return function
  return functools.partial(
      split_conv, num_ways=num_ways, divisible_by=divisible_by)


# Layers with an activation and a normalization in the defaults below.
LAYERS = (slim.conv2d, slim.fully_connected, slim.separable_conv2d)


def defaults(activation_fn, normalizer_fn, **normalizer_params):
  """Returns the 'defaults' of a definition, see `nets.mobilenet.mobilenet`."""
  return {
      (normalizer_fn,): normalizer_params,
      LAYERS: {'normalizer_fn': normalizer_fn, 'activation_fn': activation_fn},
      (expanded_conv,): {
          'expansion_size': expand_input_by_factor(6), 'split_expansion': 1,
          'normalizer_fn': normalizer_fn, 'residual': True},
      (slim.conv2d, slim.separable_conv2d): {'padding': 'SAME'},
  }


def fused_conv(input_tensor, num_outputs, kernel_size=(3, 3), stride=1, rate=1,
               use_explicit_padding=False, **kwargs):
  """Builds an inverted residual with one full convolution as its expansion.

  It replaces expansion and depthwise layer where a full convolution is faster.
  Arguments and results are those of `expanded_conv`; `kernel_size`, `stride`,
  `rate` and `use_explicit_padding` are of the expansion.
  """

  def expand(net, channels, **layer):
    padding = 'SAME'
    if use_explicit_padding:
      net = layer_utils.fixed_padding(net, kernel_size, rate)
      padding = 'VALID'
    return slim.conv2d(
        net, channels, kernel_size, stride=stride, rate=rate, padding=padding,
        **layer)

  return expanded_conv(
      input_tensor, num_outputs, stride=stride, depthwise_location=None,
      expansion_fn=expand, **kwargs)


@slim.add_arg_scope
def squeeze_excite(input_tensor, divisible_by=8, squeeze_factor=3,
                   inner_activation_fn=tf.nn.relu, gating_fn=tf.sigmoid,
                   squeeze_input_tensor=None, pool=None):
  """Multiplies each channel by a gate computed from the whole feature map.

  J. Hu et al.: Squeeze-and-excitation networks (2017).

  Args:
    input_tensor: float [batch, height, width, channels].
    divisible_by: divisor of the number of channels inside.
    squeeze_factor: ratio of channels to channels inside.
    inner_activation_fn: activation inside.
    gating_fn: activation of the gate, usually between 0 and 1.
    squeeze_input_tensor: tensor that the gate is computed from; None for
      `input_tensor`.
    pool: height and width in pixels of the window that is averaged; None for
      the whole feature map. With a window the gate depends on the position.

  Returns:
    A tensor with the type and shape of `input_tensor`.
  """
  with tf.variable_scope('squeeze_excite'):
    squeezed = (
        input_tensor if squeeze_input_tensor is None else squeeze_input_tensor)
    inner = layer_utils.make_divisible(
        layouts.channels(squeezed) / squeeze_factor, divisible_by)
    if pool is None:
      gate = layouts.average(squeezed)
    else:
      window = layer_utils.small_input_kernel(squeezed, [pool, pool])
      gate = slim.avg_pool2d(squeezed, window, stride=1)
    gate = slim.conv2d(gate, inner, [1, 1], normalizer_fn=None,
                       activation_fn=inner_activation_fn)
    gate = slim.conv2d(gate, layouts.channels(input_tensor), [1, 1],
                       normalizer_fn=None, activation_fn=gating_fn)
    if pool is not None:
      height = layouts.spatial_axes()[0]
      gate = layouts.resize_bilinear(
          gate, tf.shape(input_tensor)[height:height + 2], align_corners=True)
    return input_tensor * gate
