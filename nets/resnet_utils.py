"""What ResNet v1 and v2 have in common.

A ResNet is a root block (a convolution and a pooling, each of stride 2) and a
stack of blocks; a block is a sequence of residual units. The stride of a block
is that of its last unit, so that all other units see the larger feature map.

With `output_stride` the strides beyond it are replaced by dilation of the
kernels that follow (atrous convolution): the same weights give the same
features at more positions. L.-C. Chen et al.: Semantic image segmentation with
deep convolutional nets, atrous convolution, and fully connected CRFs (2016),
https://arxiv.org/abs/1606.00915.
"""
import collections
import contextlib
import itertools
import operator
from typing import NamedTuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import layer_utils
from nets import layouts
from nets import normalization
from nets import scoped_value

_ROOT_STRIDE = 4

# Number of layers: units in each of the four blocks.
UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3),
         200: (3, 24, 36, 3)}
# Scope, base depth and stride of each of the four blocks, and the shape of the
# output for 224 x 224.
BLOCKS = (
    ('block1', 64, 2),   # 28 x 28 x 256
    ('block2', 128, 2),  # 14 x 14 x 512
    ('block3', 256, 2),  # 7 x 7 x 1024
    ('block4', 512, 1),  # 7 x 7 x 2048
)


class Block(collections.namedtuple('Block', 'scope unit_fn args')):
  """A sequence of residual units.

  Attributes:
    scope: variable scope of the block, str.
    unit_fn: function that builds a unit of a float32 [batch, height, width,
      channels] tensor and the keyword arguments `stride`, `rate` and those in
      `args`.
    args: list of a dict of keyword arguments of `unit_fn` for each unit; the
      default `stride` is 1.
  """
  __slots__ = ()


class Placement(NamedTuple):
  """Where the strides of a ResNet are; slim's by default.

  Attributes:
    first_unit: whether the first unit of a block has the stride of the block
      before, whose last unit then has none.
    first_conv: whether the stride of a unit is that of its first convolution,
      of 1x1, instead of the second, of 3x3.
    pad_pool: whether `pool1` is padded with zeros on all sides, instead of like
      SAME, which pads images of even size at the bottom and on the right only.
  """
  first_unit: bool = False
  first_conv: bool = False
  pad_pool: bool = False


_placement = scoped_value.ScopedValue(Placement())


def placed(placement):
  """Gives the ResNets built inside a `with` statement another `Placement`."""
  return _placement.replaced(placement)


def strides_of_unit(stride):
  """Returns the strides of a unit's 1x1 and 3x3 convolution."""
  return (stride, 1) if _placement.value.first_conv else (1, stride)


def bottleneck_block(scope, unit_fn, base_depth, num_units, stride):
  """Returns a `Block` of bottleneck units, the last of which has `stride`."""
  unit = {'depth': base_depth * 4, 'depth_bottleneck': base_depth}
  return Block(scope, unit_fn, [dict(unit, stride=1)] * (num_units - 1) +
               [dict(unit, stride=stride)])


def blocks_of(num_layers, block_fn, depth_fn=int):
  """Returns the four blocks of a ResNet.

  Args:
    num_layers: key of UNITS.
    block_fn: function of scope, base_depth, num_units and stride.
    depth_fn: function from the base depth of the paper to the one to build.
  """
  return [block_fn(scope, depth_fn(base_depth), num_units, stride)
          for (scope, base_depth, stride), num_units in zip(
              BLOCKS, UNITS[num_layers])]


def subsample(inputs, factor, scope=None):
  """Keeps every `factor`-th row and column.

  Args:
    inputs: float32 [batch, height, width, channels].
    factor: int; 1 returns `inputs` itself.
    scope: name scope.
  """
  if factor == 1:
    return inputs
  return slim.max_pool2d(inputs, [1, 1], stride=factor, scope=scope)


def conv2d_same(inputs, num_outputs, kernel_size, stride, rate=1, scope=None):
  """Convolves with padding that does not depend on the size of the input.

  At stride 1 it is `slim.conv2d` with SAME padding. At a larger stride it
  equals that convolution at stride 1 followed by `subsample`; SAME padding at
  that stride differs for some sizes, even ones for example.

  Args:
    inputs: float32 [batch, height, width, channels].
    num_outputs: number of channels of the result.
    kernel_size: int, height and width of the kernel.
    stride: int.
    rate: dilation of the kernel.
    scope: variable scope.

  Returns:
    float32 [batch, ceil(height / stride), ceil(width / stride), num_outputs].
  """
  padding = 'SAME'
  if stride > 1:
    inputs = layer_utils.fixed_padding(inputs, kernel_size, rate)
    padding = 'VALID'
  return slim.conv2d(inputs, num_outputs, kernel_size, stride=stride, rate=rate,
                     padding=padding, scope=scope)


def check_output_stride(output_stride, blocks, include_root_block=True):
  """Raises ValueError if a network of `blocks` cannot have `output_stride`."""
  root = _ROOT_STRIDE if include_root_block else 1
  reachable = [root] + [root * stride for stride in itertools.accumulate(
      _strides(blocks), operator.mul)]
  if output_stride is not None and output_stride not in reachable:
    raise ValueError(
        'The target output_stride cannot be reached: given %s, the strides of '
        'the network allow %s, and None for %s.' % (
            output_stride, ', '.join(map(str, sorted(set(reachable)))),
            reachable[-1]))


@slim.add_arg_scope
def stack_blocks_dense(net, blocks, output_stride=None,
                       store_non_strided_activations=False,
                       outputs_collections=None):
  """Builds blocks one after the other.

  Args:
    net: float32 [batch, height, width, channels].
    blocks: list of `Block`.
    output_stride: ratio of the size of `net` to that of the result; strides
      beyond it are replaced by dilation. None for the product of all strides.
    store_non_strided_activations: whether the end point of a block is taken
      before its stride, which then follows the block as a `subsample`.
    outputs_collections: collection that receives the output of each block.

  Returns:
    float32 [batch, ceil(height / output_stride), ceil(width / output_stride),
    channels].

  Raises:
    ValueError: the strides of the blocks do not reach `output_stride`.
  """
  blocks = _with_placed_strides(blocks)
  check_output_stride(output_stride, blocks, include_root_block=False)
  plan = layer_utils.strides_and_rates(_strides(blocks), output_stride)
  for block in blocks:
    steps = list(itertools.islice(plan, len(block.args)))
    stride_after = 1
    if store_non_strided_activations and steps:
      stride_after, rate = steps[-1]
      steps[-1] = 1, rate
    with tf.variable_scope(block.scope, 'block', [net]) as sc:
      net = _build_units(net, block, steps)
      net = slim.utils.collect_named_outputs(outputs_collections, sc.name, net)
      net = subsample(net, stride_after)
  return net


def _with_placed_strides(blocks):
  """Returns blocks with the strides where the placement wants them."""
  if not _placement.value.first_unit:
    return blocks
  # The first unit of a block comes right after the last one of the block
  # before: each unit takes over the stride of the one before it.
  strides = iter([1] + _strides(blocks))
  return [block._replace(args=[dict(unit, stride=next(strides))
                               for unit in block.args]) for block in blocks]


def _build_units(net, block, steps):
  """Builds the units of a block with the strides and rates in `steps`."""
  for i, (unit, (stride, rate)) in enumerate(zip(block.args, steps), 1):
    with tf.variable_scope('unit_%d' % i, values=[net]):
      net = block.unit_fn(net, rate=rate, **dict(unit, stride=stride))
  return net


def _strides(blocks):
  return [unit.get('stride', 1) for block in blocks for unit in block.args]


@contextlib.contextmanager
def network_scope(scope, default_scope, inputs, unit_fn, is_training, reuse):
  """Opens the variable scope of a ResNet and collects its end points.

  Arguments that are not listed are those of `resnet_v1.resnet_v1`.

  Args:
    default_scope: variable scope if `scope` is None.
    unit_fn: the function that builds the residual units, under `arg_scope`.

  Yields:
    The variable scope, and the name of the collection of end points.
  """
  layouts.check(default_scope)
  mode = {} if is_training is None else {'is_training': is_training}
  with tf.variable_scope(scope, default_scope, [inputs], reuse=reuse) as sc:
    collection = sc.original_name_scope + '_end_points'
    with slim.arg_scope([slim.conv2d, unit_fn, stack_blocks_dense],
                        outputs_collections=collection):
      with slim.arg_scope([slim.batch_norm], **mode):
        yield sc, collection


def root_block(net):
  """Builds the convolution and the pooling before the blocks, of stride 4."""
  net = conv2d_same(net, 64, 7, stride=2, scope='conv1')
  if not _placement.value.pad_pool:
    return slim.max_pool2d(net, [3, 3], stride=2, scope='pool1')
  return slim.max_pool2d(layer_utils.fixed_padding(net, 3), [3, 3], stride=2,
                         padding='VALID', scope='pool1')


def stack_in_network(net, blocks, output_stride, include_root_block, **options):
  """Builds the blocks; `output_stride` includes that of the root block."""
  if output_stride is not None and include_root_block:
    output_stride //= _ROOT_STRIDE
  return stack_blocks_dense(net, blocks, output_stride, **options)


def classify(net, network_scopes, num_classes, global_pool, spatial_squeeze):
  """Builds what follows the features of a ResNet.

  Arguments that are not listed, and results, are those of
  `resnet_v1.resnet_v1`.

  Args:
    net: float32 [batch, height, width, channels], the features.
    network_scopes: what `network_scope` yielded.
  """
  scope, collection = network_scopes
  end_points = slim.utils.convert_collection_to_dict(collection)
  if global_pool:
    net = layouts.average(net, name='pool5')
    end_points['global_pool'] = net
  if not num_classes:
    return net, end_points
  net = slim.conv2d(net, num_classes, [1, 1], activation_fn=None,
                    normalizer_fn=None, scope='logits')
  end_points[scope.name + '/logits'] = net
  if spatial_squeeze:
    net = layer_utils.squeeze(net)
    end_points[scope.name + '/spatial_squeeze'] = net
  end_points['predictions'] = slim.softmax(net, scope='predictions')
  return net, end_points


def resnet_arg_scope(weight_decay=0.0001, batch_norm_decay=0.997,
                     batch_norm_epsilon=1e-5, batch_norm_scale=True,
                     activation_fn=tf.nn.relu, use_batch_norm=True,
                     batch_norm_updates_collections=tf.GraphKeys.UPDATE_OPS):
  """Returns the argument scope of the ResNets.

  Args:
    weight_decay: coefficient of L2 regularization of all weights.
    batch_norm_decay: decay of the moving averages of the statistics.
    batch_norm_epsilon: added to the variance before the division.
    batch_norm_scale: whether batch normalization has a learned scale.
    activation_fn: activation of the convolutions.
    use_batch_norm: whether convolutions are batch-normalized; otherwise they
      have biases.
    batch_norm_updates_collections: collection of the update operations; None
      to update in place.
  """
  with slim.arg_scope(
      [slim.conv2d], activation_fn=activation_fn,
      normalizer_fn=normalization.batch_norm if use_batch_norm else None,
      weights_initializer=slim.variance_scaling_initializer(),
      weights_regularizer=slim.l2_regularizer(weight_decay)):
    with slim.arg_scope(
        [slim.batch_norm], decay=batch_norm_decay, epsilon=batch_norm_epsilon,
        scale=batch_norm_scale,
        updates_collections=batch_norm_updates_collections):
      with slim.arg_scope([slim.max_pool2d], padding='SAME') as scope:
        return scope
