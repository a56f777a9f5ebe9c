"""Rows of the tables of the Inception networks, and their interpreter.

A table is a list of rows, starting at the image. A row is one layer (`conv`,
`separable_conv`, `max_pool`, `avg_pool`), a module of parallel branches
(`mixed`), a module of branches added to its input (`residual`), or a chain of
these (`repeat`). A branch is a list of layers, where `fork` is several layers
in parallel. The scopes of the branches are Branch_0, Branch_1, ..., that of the
last convolution of a residual module is Conv2d_1x1; all other scopes are
written in the table, since checkpoints depend on them. The comment beside a row
is the shape of its output for images of the default size.
"""
import collections

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import layer_utils
from nets import layouts
from nets import scoped_value

Conv = collections.namedtuple(
    'Conv', 'scope depth kernel stride padding stddev')
SeparableConv = collections.namedtuple(
    'SeparableConv', 'scope depth kernel stride padding stddev')
Pool = collections.namedtuple('Pool', 'scope function kernel stride padding')
Fork = collections.namedtuple('Fork', 'layers')
Mixed = collections.namedtuple('Mixed', 'scope branches')
Residual = collections.namedtuple(
    'Residual', 'scope branches scale activation_fn')
Repeat = collections.namedtuple('Repeat', 'scope blocks rate end_point')

_RGB_CHANNELS = 3
_counts_padding = scoped_value.ScopedValue(False)


def conv(scope, depth, kernel, stride=1, padding='SAME', stddev=None):
  """Returns the row of a convolution.

  Args:
    scope: variable scope, also the name of the end point.
    depth: number of filters before the depth multiplier.
    kernel: an int, or a pair (height, width).
    stride: an int.
    padding: 'SAME' or 'VALID'.
    stddev: standard deviation of the truncated normal initializer; None for
      the initializer of the argument scope.
  """
  return Conv(scope, depth, _pair(kernel), stride, padding, stddev)


def separable_conv(scope, depth, kernel, stride, stddev):
  """Returns the row of a separable convolution, SAME padded; see `conv`."""
  return SeparableConv(scope, depth, _pair(kernel), stride, 'SAME', stddev)


def max_pool(scope, kernel=3, stride=1, padding='SAME'):
  """Returns the row of a max pooling layer; see `conv`."""
  return Pool(scope, slim.max_pool2d, _pair(kernel), stride, padding)


def avg_pool(scope, kernel=3, stride=1, padding='SAME'):
  """Returns the row of an average pooling layer; see `conv`."""
  return Pool(scope, slim.avg_pool2d, _pair(kernel), stride, padding)


def padding_counted():
  """Makes average pooling inside a `with` count the zeros around an image.

  TensorFlow divides by the pixels inside the image, PyTorch by default by the
  size of the kernel.
  """
  return _counts_padding.replaced(True)


def fork(*layers):
  """Returns layers with a common input, whose outputs are concatenated."""
  return Fork(layers)


def mixed(scope, branches):
  """Returns the row of a module of branches (lists of layers)."""
  return Mixed(scope, branches)


def residual(scope, branches, scale, activation_fn):
  """Returns the row of a module whose branches are added to its input.

  The branches are concatenated, projected to the depth of the input by a
  linear 1x1 convolution, and multiplied by `scale` before they are added.

  Args:
    scope: variable scope; the row has no end point.
    branches: list of branches, each a list of layers that keep the size.
    scale: float, factor of the residual.
    activation_fn: applied to the sum; None for a linear sum.
  """
  return Residual(scope, branches, scale, activation_fn)


def repeat(scope, blocks, rate=1, end_point=None):
  """Returns a chain of rows.

  Args:
    scope: variable scope around all of them.
    blocks: list of rows.
    rate: dilation of all convolutions inside.
    end_point: name of the end point; None for none.
  """
  return Repeat(scope, blocks, rate, end_point)


def depth_scale(depth_multiplier, min_depth):
  """Returns the function from a row's depth to the depth to build.

  Args:
    depth_multiplier: factor of all depths, above 0.
    min_depth: minimum depth of a layer.

  Raises:
    ValueError: `depth_multiplier` is not above 0.
  """
  if depth_multiplier <= 0:
    raise ValueError(
        'depth_multiplier must be above 0, for example 0.5; given %s' %
        depth_multiplier)
  return lambda depth: max(int(depth * depth_multiplier), min_depth)


def check_input(inputs, rows, network, end_point, min_size=1, remedy='',
                data_format=None):
  """Raises ValueError if `inputs` are too small for an end point.

  Args:
    inputs: 4-D tensor of images; an unknown height or width is accepted.
    rows: the table.
    network: name of the network, for the message.
    end_point: name of the end point.
    min_size: minimum height and width of the end point.
    remedy: an alternative to larger images, for the message.
    data_format: 'NHWC' or 'NCHW'; None for that of the argument scope.
  """
  data_format = data_format or layouts.current()
  shape = tf.TensorShape(inputs.shape)
  if shape.ndims != 4:
    raise ValueError('%s takes a 4-D batch of images (%s); given shape %s' % (
        network, data_format, shape))
  needed = _min_input(_up_to(rows, end_point), min_size)
  first = data_format.index('H')
  sizes = shape.as_list()[first:first + 2]
  if any(size is not None and size < needed for size in sizes):
    raise ValueError(
        '%s needs images of at least %dx%d for a map of at least %dx%d at %s; '
        'given %s. Give larger images%s.' % (
            network, needed, needed, min_size, min_size, end_point,
            'x'.join(map(str, sizes)), remedy and ' or ' + remedy))


def build(inputs, rows, final_endpoint, scope, network, depth=int,
          data_format=None):
  """Builds a table of rows up to an end point.

  Args:
    inputs: float [batch, height, width, channels] (or NCHW) tensor.
    rows: the table.
    final_endpoint: name of the last row to build.
    scope: variable scope, a name or an object; `network`, made unique, if
      None.
    network: name of the network, for messages and as the default scope.
    depth: function from a row's depth to the depth to build, see
      `depth_scale`.
    data_format: 'NHWC' or 'NCHW' for all but batch normalization; None for
      that of the argument scope.

  Returns:
    net: the output of the row `final_endpoint`.
    end_points: dict from name to tensor, in the order of the table.

  Raises:
    ValueError: `final_endpoint` is not in the table, or `inputs` are too small
      for it. Nothing is built.
  """
  known = [_end_point(row) for row in rows if _end_point(row)]
  layer_utils.check_final_endpoint(final_endpoint, known, network)
  check_input(inputs, rows, network, final_endpoint, data_format=data_format)
  if data_format is None:
    layouts.check(network)
    data_format = layouts.current()
  interpreter = _Interpreter(depth, data_format.index('C'))
  net = inputs
  end_points = {}
  with tf.variable_scope(scope, network, [inputs]), slim.arg_scope(
      [slim.conv2d, slim.max_pool2d, slim.avg_pool2d], data_format=data_format):
    for row in _up_to(rows, final_endpoint):
      net = interpreter.build(net, row)
      if _end_point(row):
        end_points[_end_point(row)] = net
  return net, end_points


def build_block(net, row, scope=None, reuse=None):
  """Builds one mixed or residual row.

  Args:
    net: float [batch, height, width, channels] tensor.
    row: made by `mixed` or `residual`.
    scope: variable scope; that of the row, made unique, if None.
    reuse: whether to reuse existing variables.

  Returns:
    A float [batch, height, width, channels] tensor.
  """
  with tf.variable_scope(scope, row.scope, [net], reuse=reuse):
    return _Interpreter(int, layouts.channels_axis()).inside(net, row)


class _Interpreter:
  """Turns rows into layers."""

  def __init__(self, depth, channels_axis):
    self._depth = depth
    self._channels_axis = channels_axis

  def build(self, net, row):
    """Applies `row` to `net`."""
    if isinstance(row, (Mixed, Residual, Repeat)):
      with tf.variable_scope(row.scope):
        return self.inside(net, row)
    if isinstance(row, Fork):
      return self._concat([self.build(net, layer) for layer in row.layers])
    if isinstance(row, Pool):
      if _counts_padding.value and row == avg_pool(row.scope):
        net = layer_utils.fixed_padding(net, row.kernel[0])
        row = row._replace(padding='VALID')
      return row.function(net, row.kernel, stride=row.stride,
                          padding=row.padding, scope=row.scope)
    return self._convolution(net, row)

  def inside(self, net, row):
    """Applies a module or chain to `net` in the current variable scope."""
    if isinstance(row, Repeat):
      with slim.arg_scope([slim.conv2d], rate=row.rate):
        return self._chain(net, row.blocks)
    branches = []
    for index, layers in enumerate(row.branches):
      with tf.variable_scope('Branch_%d' % index):
        branches.append(self._chain(net, layers))
    joined = self._concat(branches)
    return joined if isinstance(row, Mixed) else self._add(net, joined, row)

  def _chain(self, net, rows):
    for row in rows:
      net = self.build(net, row)
    return net

  def _concat(self, tensors):
    return tf.concat(tensors, self._channels_axis)

  def _convolution(self, net, row):
    depth = self._depth(row.depth)
    options = {'stride': row.stride, 'padding': row.padding, 'scope': row.scope}
    if row.stddev is not None:
      options['weights_initializer'] = layer_utils.trunc_normal(row.stddev)
    if isinstance(row, Conv):
      return slim.conv2d(net, depth, row.kernel, **options)
    # 8 filters per color, or fewer if the layer has fewer channels.
    return slim.separable_conv2d(
        net, depth, row.kernel,
        depth_multiplier=max(1, min(depth // _RGB_CHANNELS, 8)), **options)

  def _add(self, net, branches, row):
    change = slim.conv2d(
        branches, net.shape.as_list()[self._channels_axis], 1,
        normalizer_fn=None, activation_fn=None, scope='Conv2d_1x1')
    change *= row.scale
    if row.activation_fn == tf.nn.relu6:
      # Keeps both summands in the range of relu6, for quantization.
      change = tf.clip_by_value(change, -6.0, 6.0)
    net += change
    return row.activation_fn(net) if row.activation_fn else net


def _pair(kernel):
  return [kernel, kernel] if isinstance(kernel, int) else list(kernel)


def _end_point(row):
  """Returns the name of the end point of a row, or None."""
  if isinstance(row, Residual):
    return None
  return row.end_point if isinstance(row, Repeat) else row.scope


def _up_to(rows, end_point):
  names = [_end_point(row) for row in rows]
  return rows[:names.index(end_point) + 1]


def _min_input(rows, size):
  """Returns the minimum size of images for which `rows` yield `size`.

  Goes backwards through the rows. Other kinds of rows keep the size, and
  unpadded kernels are square in all tables.
  """
  for row in reversed(rows):
    if isinstance(row, Mixed):
      size = max(_min_input(branch, size) for branch in row.branches)
    elif isinstance(row, (Conv, SeparableConv, Pool)):
      # The last window starts at (size - 1) strides. Unpadded it must fit,
      # padded its first pixel is enough.
      window = max(row.kernel) if row.padding == 'VALID' else 1
      size = (size - 1) * row.stride + window
  return size
