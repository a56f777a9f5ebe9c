"""The cells of NASNet-A and their operations.

B. Zoph, V. Vasudevan, J. Shlens, Q. V. Le: Learning transferable architectures
for scalable image recognition, https://arxiv.org/abs/1707.07012.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import normalization
from nets import scoped_value
from nets.nasnet import cells

INVALID = 'null'
# Bounded activations clip values that are not rectified to [-BOUND, BOUND].
BOUND = 6
# The pools that see zeros around an image at a stride of 2.
_zero_padded = scoped_value.ScopedValue(())


def zeros_pooled(*functions):
  """Makes pooling of stride 2 inside a `with` see, and count, zeros outside.

  TensorFlow ignores what is outside an image, Keras and timm do not.

  Args:
    *functions: those of `slim.avg_pool2d` and `slim.max_pool2d` that do.
  """
  return _zero_padded.replaced(functions)


def calc_reduction_layers(num_cells, num_reduction_layers):
  """Returns the numbers of the cells before which the size is halved.

  Args:
    num_cells: number of cells.
    num_reduction_layers: number of reductions, spread evenly.

  Returns:
    A list of `num_reduction_layers` cell numbers.
  """
  return [int(i / (num_reduction_layers + 1) * num_cells)
          for i in range(1, num_reduction_layers + 1)]


@slim.add_arg_scope
def get_channel_index(data_format=INVALID):
  """Returns the dimension of the channels: 3 for NHWC, 1 for NCHW."""
  _check_data_format(data_format)
  return data_format.index('C')


@slim.add_arg_scope
def get_channel_dim(shape, data_format=INVALID):
  """Returns the number of channels.

  Args:
    shape: static shape of four dimensions, a list or a TensorShape.
    data_format: 'NHWC' or 'NCHW'.

  Raises:
    ValueError: `shape` does not have four dimensions, or `data_format` is
      unknown.
  """
  shape = tf.TensorShape(shape)
  if shape.rank != 4:
    raise ValueError(
        'shape must have four dimensions (%s), not %s.' % (data_format, shape))
  return shape.as_list()[get_channel_index(data_format=data_format)]


@slim.add_arg_scope
def global_avg_pool(x, data_format=INVALID):
  """Averages float [batch, ...] over height and width: [batch, channels]."""
  _check_data_format(data_format)
  if x.shape.rank != 4:
    raise ValueError('x must have four dimensions (%s), not shape %s.' % (
        data_format, x.shape))
  return tf.reduce_mean(x, [data_format.index('H'), data_format.index('W')])


def _check_data_format(data_format):
  if data_format not in ('NHWC', 'NCHW'):
    raise ValueError(
        "data_format must be 'NHWC' or 'NCHW', not %r; pass it or set it in "
        'an arg_scope.' % (data_format,))


@slim.add_arg_scope
def factorized_reduction(net, output_filters, stride, data_format=INVALID):
  """Changes the size and the filters of `net` without skipping odd pixels.

  Args:
    net: float tensor [batch, height, width, channels], or NCHW.
    output_filters: filters of the result: one half on the pixels of even rows
      and columns, the other on those of odd ones.
    stride: 1 keeps the size, 2 halves it, rounded up.
    data_format: 'NHWC' or 'NCHW'.

  Returns:
    A float tensor, batch-normalized.

  Raises:
    ValueError: there are fewer than two filters.
  """
  _check_data_format(data_format)
  if stride == 1:
    net = slim.conv2d(net, output_filters, 1, scope='path_conv')
    return normalization.batch_norm(net, scope='path_bn')
  if output_filters < 2:
    raise ValueError('output_filters must be at least 2 where the size is '
                     'halved, not %s; raise num_conv_filters.' % output_filters)
  even = _every(net, stride, data_format)
  even = slim.conv2d(even, output_filters // 2, 1, scope='path1_conv')
  odd = _every(_shift(net, data_format), stride, data_format)
  odd = slim.conv2d(
      odd, output_filters - output_filters // 2, 1, scope='path2_conv')
  net = tf.concat([even, odd], data_format.index('C'))
  return normalization.batch_norm(net, scope='final_path_bn')


def _every(net, stride, data_format):
  """Keeps every `stride`-th pixel."""
  strides = [stride if axis in 'HW' else 1 for axis in data_format]
  return tf.nn.avg_pool2d(
      net, [1, 1, 1, 1], strides, 'VALID', data_format=data_format)


def _shift(net, data_format):
  """Shifts by one pixel up and left, with zero padding."""
  spatial = [int(axis in 'HW') for axis in data_format]
  padded = tf.pad(net, [[0, shift] for shift in spatial])
  return tf.slice(padded, spatial, [-1] * 4)


@slim.add_arg_scope
def drop_path(net, keep_prob, is_training=True):
  """Sets random examples to zero and scales up the others.

  Args:
    net: float tensor [batch, ...] of four dimensions.
    keep_prob: probability of keeping an example, a number or float32 scalar.
    is_training: bool; if False, `net` is returned unchanged.

  Returns:
    A tensor like `net`.
  """
  if not is_training:
    return net
  kept = tf.floor(keep_prob + tf.random_uniform(
      [tf.shape(net)[0], 1, 1, 1], dtype=tf.float32))
  return net * tf.cast(kept / keep_prob, net.dtype)


def global_step():
  """Returns the global step, created outside of all variable scopes if missing.

  In the scope of a cell its name would not be that of checkpoints.
  """
  step = tf.train.get_global_step()
  if step is None:
    with tf.variable_scope(tf.VariableScope(reuse=tf.AUTO_REUSE)):
      step = tf.train.create_global_step()
  return step


class NasNetABaseCell:
  """A cell: combinations of operations on hidden states.

  Calling the object builds the cell.
  """

  def __init__(self, num_conv_filters, operations, used_hiddenstates,
               hiddenstate_indices, drop_path_keep_prob, total_num_cells,
               total_training_steps, use_bounded_activation=False):
    """Describes the cell.

    Args:
      num_conv_filters: filters of each operation before scaling.
      operations: names, keys of `cells.OPERATIONS`: left and right operation
        of the first combination, of the second, and so on.
      used_hiddenstates: one entry per hidden state (two inputs, then the
        combinations); those with 0 are concatenated to the output.
      hiddenstate_indices: the hidden state that each operation is applied to.
      drop_path_keep_prob: probability of keeping a path in the last cell at
        the end of training; 1.0 drops none.
      total_num_cells: number of cells in the network, stem included.
      total_training_steps: steps until the final drop rate is reached.
      use_bounded_activation: whether all activations are within [-6, 6].

    Raises:
      ValueError: an operation is unknown, or the lengths of the lists differ.
    """
    cells.check(operations, used_hiddenstates, hiddenstate_indices)
    self._num_conv_filters = num_conv_filters
    self._combinations = [
        cells.Combination(*row) for row in zip(
            operations[::2], hiddenstate_indices[::2],
            operations[1::2], hiddenstate_indices[1::2])]
    self._used_hiddenstates = used_hiddenstates
    self._drop_path_keep_prob = drop_path_keep_prob
    self._total_num_cells = total_num_cells
    self._total_training_steps = total_training_steps
    self._bounded = use_bounded_activation
    self._activation = activation(use_bounded_activation)

  def __call__(self, net, scope=None, filter_scaling=1, stride=1,
               prev_layer=None, cell_num=-1, current_step=None):
    """Builds the cell.

    Args:
      net: output of the cell before, float tensor of four dimensions.
      scope: variable scope.
      filter_scaling: factor of the number of filters.
      stride: 2 in a cell that halves the size.
      prev_layer: input of the cell before; None for `net`.
      cell_num: number of the cell, counted from 0 at the stem; later cells
        drop more paths.
      current_step: scalar, training steps so far; None for the global step.

    Returns:
      A float tensor: the unused hidden states, concatenated.
    """
    filters = int(self._num_conv_filters * filter_scaling)
    with tf.variable_scope(scope, 'cell'):
      keep_prob = self._keep_prob(cell_num, current_step)
      states = self._inputs(net, prev_layer, filters)
      for i, row in enumerate(self._combinations):
        with tf.variable_scope('comb_iter_%d' % i):
          states.append(self._combine(row, states, stride, filters, keep_prob))
      with tf.variable_scope('cell_output'):
        return self._output(states)

  def _keep_prob(self, cell_num, current_step):
    """Returns the probability of keeping a path; None if none is dropped.

    It decreases linearly from 1 with the depth of the cell and with the steps.
    """
    if self._drop_path_keep_prob >= 1:
      return None
    if current_step is None:
      current_step = global_step()
    depth = (cell_num + 1) / self._total_num_cells
    drop = depth * (1 - self._drop_path_keep_prob)
    done = tf.cast(current_step, tf.float32) / self._total_training_steps
    return 1 - drop * tf.minimum(1.0, done)

  def _inputs(self, net, prev_layer, filters):
    """Returns both inputs with the same size and number of filters."""
    previous = net if prev_layer is None else self._fit(
        prev_layer, net, filters)
    net = slim.conv2d(self._activation(net), filters, 1, scope='1x1')
    net = normalization.batch_norm(net, scope='beginning_bn')
    return [net, previous]

  def _fit(self, previous, net, filters):
    if _height_or_width_differs(previous, net):
      return factorized_reduction(self._activation(previous), filters, 2)
    if get_channel_dim(previous.shape) == filters:
      return previous
    previous = slim.conv2d(
        self._activation(previous), filters, 1, scope='prev_1x1')
    return normalization.batch_norm(previous, scope='prev_bn')

  def _combine(self, row, states, stride, filters, keep_prob):
    """Adds the results of two operations."""
    results = []
    for scope, name, state in (('left', row.left, row.left_state),
                               ('right', row.right, row.right_state)):
      # Combinations have the size of the output already.
      state_stride = stride if state < 2 else 1
      with tf.variable_scope(scope):
        results.append(self._operate(
            states[state], name, state_stride, filters, keep_prob))
    with tf.variable_scope('combine'):
      net = results[0] + results[1]
      return tf.nn.relu6(net) if self._bounded else net

  def _operate(self, net, name, stride, filters, keep_prob):
    """Applies one operation to one hidden state."""
    operation = cells.OPERATIONS[name]
    if isinstance(operation, cells.Separable):
      net = self._separable(net, operation, stride, filters)
    elif isinstance(operation, cells.Pool):
      net = self._pool(net, operation, stride, filters)
    else:
      return self._identity(net, stride, filters)
    return net if keep_prob is None else drop_path(net, keep_prob)

  def _separable(self, net, operation, stride, filters):
    for i in range(1, operation.layers + 1):
      name = '%dx%d_%d' % (operation.size, operation.size, i)
      net = slim.separable_conv2d(
          self._activation(net), filters, operation.size, depth_multiplier=1,
          stride=stride, scope='separable_' + name)
      net = normalization.batch_norm(net, scope='bn_sep_' + name)
      stride = 1
    return self._clip(net)

  def _pool(self, net, operation, stride, filters):
    if self._bounded:
      net = tf.nn.relu6(net)
    padding = 'SAME'
    if stride == 2 and operation.function in _zero_padded.value:
      net, padding = _padded(net, operation.size), 'VALID'
    net = operation.function(
        net, operation.size, stride=stride, padding=padding)
    if get_channel_dim(net.shape) != filters:
      net = self._project(net, filters, 1)
    return self._clip(net)

  def _identity(self, net, stride, filters):
    if self._bounded:
      net = tf.nn.relu6(net)
    if stride == 1 and get_channel_dim(net.shape) == filters:
      return net
    if not self._bounded:
      net = tf.nn.relu(net)
    return self._clip(self._project(net, filters, stride))

  def _project(self, net, filters, stride):
    net = slim.conv2d(net, filters, 1, stride=stride, scope='1x1')
    return normalization.batch_norm(net, scope='bn_1')

  def _clip(self, net):
    return tf.clip_by_value(net, -BOUND, BOUND) if self._bounded else net

  def _output(self, states):
    """Concatenates the unused hidden states, at the size of the last one."""
    last = states[-1]
    filters = get_channel_dim(last.shape)
    outputs = []
    for i, (state, used) in enumerate(zip(states, self._used_hiddenstates)):
      if used:
        continue
      shrinks = _height_or_width_differs(state, last)
      if shrinks or get_channel_dim(state.shape) != filters:
        with tf.variable_scope('reduction_%d' % i):
          state = factorized_reduction(state, filters, 2 if shrinks else 1)
      outputs.append(state)
    return tf.concat(outputs, get_channel_index())


class NasNetTableCell(NasNetABaseCell):
  """A cell described by the attribute `table` of its class."""

  table = None

  def __init__(self, num_conv_filters, drop_path_keep_prob, total_num_cells,
               total_training_steps, use_bounded_activation=False):
    """Describes the cell; the arguments are those of the base class."""
    operations, states = [], []
    for row in self.table.combinations:
      operations += [row.left, row.right]
      states += [row.left_state, row.right_state]
    super().__init__(
        num_conv_filters, operations, self.table.used, states,
        drop_path_keep_prob, total_num_cells, total_training_steps,
        use_bounded_activation)


class NasNetANormalCell(NasNetTableCell):
  """The cell of NASNet-A that keeps the size."""

  table = cells.NASNET_A_NORMAL


class NasNetAReductionCell(NasNetTableCell):
  """The cell of NASNet-A that halves the size, called with stride 2."""

  table = cells.NASNET_A_REDUCTION


def _padded(net, size):
  """Pads with zeros as SAME does for a window of a size and a stride of 2."""
  first = get_channel_index() == 1
  paddings = [[0, 0]] * 4
  for axis in ((2, 3) if first else (1, 2)):
    total = max(size - 2 + net.shape.as_list()[axis] % 2, 0)
    paddings[axis] = [total // 2, total - total // 2]
  return tf.pad(net, paddings)


def activation(bounded):
  """Returns the rectifier, relu6 for bounded activations."""
  return tf.nn.relu6 if bounded else tf.nn.relu


def _height_or_width_differs(net, other):
  axis = 1 if get_channel_index() == 3 else 2
  return net.shape[axis:axis + 2].as_list() != (
      other.shape[axis:axis + 2].as_list())
