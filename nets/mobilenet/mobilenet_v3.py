"""MobileNet V3 and MobileNet EdgeTPU: networks found by search.

A. Howard et al.: Searching for MobileNetV3 (2019),
https://arxiv.org/abs/1905.02244
"""
import collections
import functools

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import layouts
from nets import normalization
from nets import scoped_value
from nets.mobilenet import conv_blocks as ops
from nets.mobilenet import mobilenet as lib

training_scope = lib.training_scope
op = lib.op


def hard_swish(x):
  """Returns x * relu6(x + 3) / 6, a swish without an exponential."""
  with tf.name_scope('hard_swish'):
    return x * tf.nn.relu6(x + 3) * (1 / 6)


# Not 1 / 6: the published weights were trained with this constant.
_sigmoid_slope = scoped_value.ScopedValue(0.16667)


def exact_hard_sigmoid():
  """Gives networks built inside a `with` a hard sigmoid of the slope 1 / 6."""
  return _sigmoid_slope.replaced(1 / 6)


def _hard_sigmoid(x):
  return tf.nn.relu6(x + 3) * _sigmoid_slope.value


squeeze_excite = functools.partial(
    ops.squeeze_excite, squeeze_factor=4, inner_activation_fn=tf.nn.relu,
    gating_fn=_hard_sigmoid)


def _gate(expansion_tensor, input_tensor):
  del input_tensor
  return squeeze_excite(expansion_tensor)


def mbv3_op(ef, n, k, s=1, act=tf.nn.relu, se=None, **kwargs):
  """Declares an inverted residual.

  Args:
    ef: expansion factor: ratio of channels inside to channels of the input.
    n: channels of the result.
    k: height and width of the depthwise kernel.
    s: stride.
    act: activation inside.
    se: function of `expansion_tensor` and `input_tensor` that is applied
      before the projection; None for none.
    **kwargs: other arguments of `conv_blocks.expanded_conv`.

  Returns:
    A layer of a definition, see `nets.mobilenet.mobilenet`.
  """
  return op(
      ops.expanded_conv, expansion_size=ops.expand_input_by_factor(ef),
      kernel_size=(k, k), stride=s, num_outputs=n, inner_activation_fn=act,
      expansion_transform=se, **kwargs)


mbv3_op_se = functools.partial(mbv3_op, se=_gate)


def mbv3_fused(ef, n, k, s=1, **kwargs):
  """Declares a `conv_blocks.fused_conv`; the arguments are as of `mbv3_op`."""
  return mbv3_op(ef, n, k, s, **kwargs)._replace(op=ops.fused_conv)


def reduce_to_1x1(input_tensor, default_size=7, rate=1,
                  use_explicit_padding=False, **kwargs):
  """Averages a square feature map to one pixel.

  Args:
    input_tensor: float [batch, height, width, channels].
    default_size: height and width of the window, at most those of the map,
      if the map is not square or its size is unknown.
    rate: ignored; pooling has no dilation.
    use_explicit_padding: ignored; pooling needs no padding.
    **kwargs: passed to `slim.avg_pool2d`.

  Returns:
    float [batch, 1, 1, channels] for a square map of known size.
  """
  del rate, use_explicit_padding
  height, width = layouts.size(input_tensor)
  if height is not None and height == width:
    window = [height, width]
  else:
    window = layer_utils.small_input_kernel(input_tensor, [default_size] * 2)
  return slim.avg_pool2d(input_tensor, window, **kwargs)


# An inverted residual, with the columns of the paper: kernel size, ratio of
# channels inside to channels of the input, channels of the result,
# squeeze-and-excitation, activation inside, stride.
_Row = collections.namedtuple(
    '_Row', 'kernel expansion outputs gate activation stride')
_RE, _HS = tf.nn.relu, hard_swish

# Table 1 of the paper, with the shape of the output for 224 x 224.
_LARGE = [
    _Row(3, 1, 16, False, _RE, 1),         # 112 x 112 x 16
    _Row(3, 4, 24, False, _RE, 2),         # 56 x 56 x 24
    _Row(3, 3, 24, False, _RE, 1),         # 56 x 56 x 24
    _Row(5, 3, 40, True, _RE, 2),          # 28 x 28 x 40
    _Row(5, 3, 40, True, _RE, 1),          # 28 x 28 x 40
    _Row(5, 3, 40, True, _RE, 1),          # 28 x 28 x 40
    _Row(3, 6, 80, False, _HS, 2),         # 14 x 14 x 80
    _Row(3, 200 / 80, 80, False, _HS, 1),  # 14 x 14 x 80
    _Row(3, 184 / 80, 80, False, _HS, 1),  # 14 x 14 x 80
    _Row(3, 184 / 80, 80, False, _HS, 1),  # 14 x 14 x 80
    _Row(3, 6, 112, True, _HS, 1),         # 14 x 14 x 112
    _Row(3, 6, 112, True, _HS, 1),         # 14 x 14 x 112
    _Row(5, 6, 160, True, _HS, 2),         # 7 x 7 x 160
    _Row(5, 6, 160, True, _HS, 1),         # 7 x 7 x 160
    _Row(5, 6, 160, True, _HS, 1),         # 7 x 7 x 160
]
# Table 2 of the paper.
_SMALL = [
    _Row(3, 1, 16, True, _RE, 2),         # 56 x 56 x 16
    _Row(3, 72 / 16, 24, False, _RE, 2),  # 28 x 28 x 24
    _Row(3, 88 / 24, 24, False, _RE, 1),  # 28 x 28 x 24
    _Row(5, 4, 40, True, _HS, 2),         # 14 x 14 x 40
    _Row(5, 6, 40, True, _HS, 1),         # 14 x 14 x 40
    _Row(5, 6, 40, True, _HS, 1),         # 14 x 14 x 40
    _Row(5, 3, 48, True, _HS, 1),         # 14 x 14 x 48
    _Row(5, 3, 48, True, _HS, 1),         # 14 x 14 x 48
    _Row(5, 6, 96, True, _HS, 2),         # 7 x 7 x 96
    _Row(5, 6, 96, True, _HS, 1),         # 7 x 7 x 96
    _Row(5, 6, 96, True, _HS, 1),         # 7 x 7 x 96
]

# `repetitions` equal layers, each declared by `block`.
_EdgeRow = collections.namedtuple(
    '_EdgeRow', 'block kernel expansion outputs stride repetitions residual')
_EDGETPU = [
    _EdgeRow(mbv3_fused, 3, 1, 16, 1, 1, True),  # 112 x 112 x 16
    _EdgeRow(mbv3_fused, 3, 8, 32, 2, 1, True),  # 56 x 56 x 32
    _EdgeRow(mbv3_fused, 3, 4, 32, 1, 3, True),  # 56 x 56 x 32
    _EdgeRow(mbv3_fused, 3, 8, 48, 2, 1, True),  # 28 x 28 x 48
    _EdgeRow(mbv3_fused, 3, 4, 48, 1, 3, True),  # 28 x 28 x 48
    _EdgeRow(mbv3_op, 3, 8, 96, 2, 1, True),     # 14 x 14 x 96
    _EdgeRow(mbv3_op, 3, 4, 96, 1, 3, True),     # 14 x 14 x 96
    _EdgeRow(mbv3_op, 3, 8, 96, 1, 1, False),    # 14 x 14 x 96
    _EdgeRow(mbv3_op, 3, 4, 96, 1, 3, True),     # 14 x 14 x 96
    _EdgeRow(mbv3_op, 5, 8, 160, 2, 1, True),    # 7 x 7 x 160
    _EdgeRow(mbv3_op, 5, 4, 160, 1, 3, True),    # 7 x 7 x 160
    _EdgeRow(mbv3_op, 3, 8, 192, 1, 1, True),    # 7 x 7 x 192
]


def _definition(rows, features, final):
  """Returns the definition of a V3 network.

  Args:
    rows: list of _Row.
    features: channels of the convolution before the pooling.
    final: channels of the convolution after the pooling.
  """
  outer = rows[-1].activation
  layers = [op(slim.conv2d, stride=2, num_outputs=16, kernel_size=(3, 3),
               activation_fn=outer)]
  layers += [
      mbv3_op(row.expansion, row.outputs, row.kernel, row.stride,
              row.activation, _gate if row.gate else None) for row in rows]
  layers += [
      op(slim.conv2d, stride=1, kernel_size=[1, 1], num_outputs=features,
         activation_fn=outer),
      op(reduce_to_1x1, default_size=7, stride=1),
      op(slim.conv2d, stride=1, kernel_size=[1, 1], num_outputs=final,
         normalizer_fn=None, activation_fn=outer),
  ]
  return {'defaults': DEFAULTS, 'spec': layers}


def _edgetpu_spec():
  layers = [op(slim.conv2d, stride=2, num_outputs=32, kernel_size=(3, 3))]
  for row in _EDGETPU:
    layers += [
        row.block(row.expansion, row.outputs, row.kernel, row.stride,
                  residual=row.residual) for _ in range(row.repetitions)]
  return layers + [
      op(slim.conv2d, stride=1, kernel_size=[1, 1], num_outputs=1280)]


def _minimalistic(rows):
  """Returns rows without gates, 5x5 kernels and hard swish, for any device."""
  return [row._replace(kernel=3, gate=False, activation=_RE) for row in rows]


def _detection(rows):
  """Returns rows with half the channels in the last three, for detection."""
  return rows[:-3] + [
      row._replace(outputs=row.outputs // 2) for row in rows[-3:]]


DEFAULTS = ops.defaults(
    tf.nn.relu, normalization.batch_norm, center=True, scale=True)
DEFAULTS_GROUP_NORM = ops.defaults(tf.nn.relu, slim.group_norm, groups=8)

V3_LARGE = _definition(_LARGE, 960, 1280)
V3_SMALL = _definition(_SMALL, 576, 1024)
V3_LARGE_DETECTION = _definition(_detection(_LARGE), 480, 1280)
V3_SMALL_DETECTION = _definition(_detection(_SMALL), 288, 1024)
V3_LARGE_MINIMALISTIC = _definition(_minimalistic(_LARGE), 960, 1280)
V3_SMALL_MINIMALISTIC = _definition(_minimalistic(_SMALL), 576, 1024)
V3_EDGETPU = {'defaults': DEFAULTS, 'spec': _edgetpu_spec()}


@contrib_scopes.reach
def mobilenet(input_tensor, num_classes=1001, depth_multiplier=1.0,
              scope='MobilenetV3', conv_defs=None,
              finegrain_classification_mode=False, use_groupnorm=False,
              **kwargs):
  """Builds MobileNet V3 or MobileNet EdgeTPU.

  Inference mode is created by default. Arguments that are not listed, results
  and errors are those of `mobilenet_v2.mobilenet`, without `activation_fn`.

  Args:
    depth_multiplier: factor of the channels of every layer, above 0.
    conv_defs: definition of the layers, see `nets.mobilenet.mobilenet`; None
      for `V3_LARGE`.
    finegrain_classification_mode: whether the multiplier leaves the last
      layer at full width, as in the published narrow checkpoints.
    use_groupnorm: whether to use group normalization, 8 groups per layer,
      instead of batch normalization.
  """
  lib.check_depth_multiplier(depth_multiplier, kwargs)
  if conv_defs is None:
    conv_defs = V3_LARGE
  if finegrain_classification_mode:
    conv_defs = lib.keep_last_layer(conv_defs)
  if use_groupnorm:
    conv_defs = dict(conv_defs, defaults=DEFAULTS_GROUP_NORM)
  rounding = {name: kwargs.pop(name, None)
              for name in ('min_depth', 'divisible_by')}
  with lib.depth_rounding(**rounding):
    return lib.mobilenet(
        input_tensor, num_classes=num_classes, conv_defs=conv_defs,
        scope=scope, multiplier=depth_multiplier, **kwargs)


mobilenet.default_image_size = 224


@contrib_scopes.reach
def mobilenet_base(input_tensor, depth_multiplier=1.0, **kwargs):
  """Builds MobileNet V3 without pooling and logits.

  Arguments are those of `mobilenet_v2.mobilenet_base`.

  Returns:
    net: float32, the last layer. In the definitions of V3 it follows the
      pooling; `final_endpoint` stops before it ('layer_17' of the large and
      'layer_13' of the small network).
    end_points: dict from name to tensor.
  """
  return mobilenet(
      input_tensor, depth_multiplier=depth_multiplier, base_only=True, **kwargs)


# Another name of TF-Slim for it.
mobilenet_base_final = mobilenet_base


@functools.wraps(mobilenet)
def _mobilenet_edgetpu(input_tensor, num_classes=1001, depth_multiplier=1.0,
                       scope='MobilenetEdgeTPU', **kwargs):
  return mobilenet(input_tensor, num_classes, depth_multiplier, scope, **kwargs)


large = layer_utils.variant(mobilenet, conv_defs=V3_LARGE)
small = layer_utils.variant(mobilenet, conv_defs=V3_SMALL)
large_minimalistic = layer_utils.variant(
    mobilenet, conv_defs=V3_LARGE_MINIMALISTIC)
small_minimalistic = layer_utils.variant(
    mobilenet, conv_defs=V3_SMALL_MINIMALISTIC)
edge_tpu = layer_utils.variant(_mobilenet_edgetpu, conv_defs=V3_EDGETPU)
edge_tpu_075 = layer_utils.variant(
    _mobilenet_edgetpu, conv_defs=V3_EDGETPU, depth_multiplier=0.75,
    finegrain_classification_mode=True)
