"""MobileNet V2: inverted residuals and linear bottlenecks.

M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen: MobileNetV2: inverted
residuals and linear bottlenecks (2018), https://arxiv.org/abs/1801.04381
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import normalization
from nets.mobilenet import conv_blocks as ops
from nets.mobilenet import mobilenet as lib

training_scope = lib.training_scope
op = lib.op
expand_input = ops.expand_input_by_factor

# Table 2 of the paper: channels, repetitions, stride of the first of them, and
# the shape of the output for 224 x 224. The expansion factor is 6, but 1 in the
# first row.
_BOTTLENECKS = [
    (16, 1, 1),   # 112 x 112 x 16
    (24, 2, 2),   # 56 x 56 x 24
    (32, 3, 2),   # 28 x 28 x 32
    (64, 4, 2),   # 14 x 14 x 64
    (96, 3, 1),   # 14 x 14 x 96
    (160, 3, 2),  # 7 x 7 x 160
    (320, 1, 1),  # 7 x 7 x 320
]


def _spec():
  layers = [op(slim.conv2d, stride=2, num_outputs=32, kernel_size=[3, 3])]
  for channels, repetitions, stride in _BOTTLENECKS:
    layers += [
        op(ops.expanded_conv, stride=stride if repetition == 0 else 1,
           num_outputs=channels) for repetition in range(repetitions)]
  layers[1].params['expansion_size'] = expand_input(1, divisible_by=1)
  return layers + [
      op(slim.conv2d, stride=1, num_outputs=1280, kernel_size=[1, 1])]


V2_DEF = {
    'defaults': ops.defaults(
        tf.nn.relu6, normalization.batch_norm, center=True, scale=True),
    'spec': _spec(),
}
V2_DEF_GROUP_NORM = {
    'defaults': ops.defaults(tf.nn.relu6, slim.group_norm, groups=8),
    'spec': _spec(),
}


@contrib_scopes.reach
def mobilenet(input_tensor, num_classes=1001, depth_multiplier=1.0,
              scope='MobilenetV2', conv_defs=None,
              finegrain_classification_mode=False, min_depth=None,
              divisible_by=None, activation_fn=None, **kwargs):
  """Builds MobileNet V2.

  Inference mode is created by default; for training, call it inside
  `slim.arg_scope(training_scope())`.

  Args:
    input_tensor: float32 [batch, height, width, 3] in [-1, 1]; 224x224 for
      ImageNet.
    num_classes: number of classes; None or 0 to return pooled features.
    depth_multiplier: factor of the channels of every layer, above 0; 0.35 to
      1.4 in the published checkpoints.
    scope: variable scope.
    conv_defs: definition of the layers, see `nets.mobilenet.mobilenet`; None
      for `V2_DEF`.
    finegrain_classification_mode: whether a multiplier below 1 leaves the
      last layer at full width, as in the published narrow checkpoints.
    min_depth: minimum channels of a scaled layer; None for 8.
    divisible_by: divisor of the channels of scaled layers; None for 8.
    activation_fn: activation of all layers; None for ReLU6.
    **kwargs: passed to `nets.mobilenet.mobilenet.mobilenet`: prediction_fn,
      reuse, base_only, use_reduce_mean_for_pooling, final_endpoint,
      output_stride, use_explicit_padding, is_training.

  Returns:
    net: float32 logits [batch, num_classes], or features [batch, 1, 1, C].
    end_points: dict from name to tensor; `layer_<k>` is the block whose scope
      is `expanded_conv_<k-2>`.

  Raises:
    ValueError: an argument is invalid; nothing is built.
  """
  lib.check_depth_multiplier(depth_multiplier, kwargs)
  if conv_defs is None:
    conv_defs = V2_DEF
  if finegrain_classification_mode and depth_multiplier < 1:
    conv_defs = lib.keep_last_layer(conv_defs)
  if activation_fn:
    conv_defs = _with_activation(conv_defs, activation_fn)
  with lib.depth_rounding(min_depth, divisible_by):
    return lib.mobilenet(
        input_tensor, num_classes=num_classes, conv_defs=conv_defs,
        scope=scope, multiplier=depth_multiplier, **kwargs)


mobilenet.default_image_size = 224


def _with_activation(conv_defs, activation_fn):
  defaults = dict(conv_defs.get('defaults', {}))
  defaults[ops.LAYERS] = dict(
      defaults.get(ops.LAYERS, {}), activation_fn=activation_fn)
  return dict(conv_defs, defaults=defaults)


@contrib_scopes.reach
def mobilenet_base(input_tensor, depth_multiplier=1.0, **kwargs):
  """Builds MobileNet V2 without pooling and logits.

  Args:
    input_tensor: float32 [batch, height, width, 3].
    depth_multiplier: factor of the channels of every layer, above 0.
    **kwargs: passed to `mobilenet`.

  Returns:
    net: float32 [batch, height / 32, width / 32, channels].
    end_points: dict from name to tensor.
  """
  return mobilenet(
      input_tensor, depth_multiplier=depth_multiplier, base_only=True, **kwargs)


@contrib_scopes.reach
def mobilenet_base_group_norm(input_tensor, depth_multiplier=1.0, **kwargs):
  """Builds `mobilenet_base`, without `conv_defs`, with group normalization.

  There are 8 groups per layer.
  """
  return mobilenet_base(
      input_tensor, depth_multiplier=depth_multiplier,
      **dict(kwargs, conv_defs=V2_DEF_GROUP_NORM))


mobilenet_v2_140 = layer_utils.variant(mobilenet, depth_multiplier=1.4)
mobilenet_v2_050 = layer_utils.variant(
    mobilenet, depth_multiplier=0.50, finegrain_classification_mode=True)
mobilenet_v2_035 = layer_utils.variant(
    mobilenet, depth_multiplier=0.35, finegrain_classification_mode=True)
