"""PNASNet-5: one cell found by progressive search, stacked.

C. Liu et al.: Progressive neural architecture search,
https://arxiv.org/abs/1712.00559.
"""
from nets import contrib_scopes
from nets.nasnet import cells
from nets.nasnet import hparams
from nets.nasnet import nasnet
from nets.nasnet import nasnet_utils


class PNasNetNormalCell(nasnet_utils.NasNetTableCell):
  """The cell of PNASNet-5; with stride 2 it halves the size."""

  table = cells.PNASNET_5


def large_imagenet_config(**overrides):
  """Returns the settings of the large PNASNet-5, (N = 4, F = 216)."""
  return hparams.HParams(
      num_cells=12,
      num_conv_filters=216,
      stem_multiplier=3.0,
      total_training_steps=250000,
      drop_path_keep_prob=0.6,
      skip_reduction_layer_input=1).override_from_dict(overrides)


def mobile_imagenet_config(**overrides):
  """Returns the settings of the mobile PNASNet-5, (N = 3, F = 54)."""
  return hparams.HParams(
      num_cells=9,
      num_conv_filters=54,
      stem_multiplier=1.0,
      total_training_steps=250000,
      skip_reduction_layer_input=1).override_from_dict(overrides)


def pnasnet_large_arg_scope(weight_decay=4e-5, batch_norm_decay=0.9997,
                            batch_norm_epsilon=0.001):
  """Returns the argument scope of the large network; see `nasnet.arg_scope`."""
  return nasnet.arg_scope(weight_decay, batch_norm_decay, batch_norm_epsilon)


def pnasnet_mobile_arg_scope(weight_decay=4e-5, batch_norm_decay=0.9997,
                             batch_norm_epsilon=0.001):
  """Returns the scope of the mobile network; see `nasnet.arg_scope`."""
  return nasnet.arg_scope(weight_decay, batch_norm_decay, batch_norm_epsilon)


@contrib_scopes.reach
def build_pnasnet_large(images, num_classes, is_training=True,
                        final_endpoint=None, config=None):
  """Builds the large PNASNet-5.

  Args:
    images: float32 [batch, 331, 331, 3]; other sizes that are known when the
      graph is built work too.
    num_classes: number of classes; None or 0 to return features instead.
    is_training: bool, whether dropout, drop path and batch normalization are
      in training mode and auxiliary logits are built. Drop path depends on the
      global step, which is created if there is none.
    final_endpoint: last end point to build, which is returned; None for all.
    config: settings; None for `large_imagenet_config()`.

  Returns:
    net: float32 logits [batch, num_classes], features [batch, 4320], or the
      tensor of `final_endpoint`.
    end_points: dict from name to tensor: Stem, Cell_0..., AuxLogits in
      training, global_pool, Logits, Predictions. Feature maps have the layout
      `config.data_format`.

  Raises:
    ValueError: an argument or a setting is invalid.
  """
  return _build(images, num_classes, is_training, final_endpoint,
                config or large_imagenet_config())


build_pnasnet_large.default_image_size = 331


@contrib_scopes.reach
def build_pnasnet_mobile(images, num_classes, is_training=True,
                         final_endpoint=None, config=None):
  """Builds the mobile PNASNet-5, designed for images of 224x224.

  Arguments and results are those of `build_pnasnet_large`, with 1080 features
  and the default settings `mobile_imagenet_config()`.
  """
  return _build(images, num_classes, is_training, final_endpoint,
                config or mobile_imagenet_config())


build_pnasnet_mobile.default_image_size = 224


def _build(images, num_classes, is_training, final_endpoint, config):
  rows = nasnet.imagenet_stem_cells(config, PNasNetNormalCell)
  return nasnet.build(
      images, num_classes, is_training, config, nasnet.imagenet_stem(config),
      rows + _cells(config), final_endpoint)


def _cells(config):
  """Returns the rows after the stem; reductions are the cells of stride 2."""
  reductions = nasnet_utils.calc_reduction_layers(
      config.num_cells, config.num_reduction_layers)
  aux = nasnet.aux_scopes(reductions)
  scaling = 1
  rows = []
  for i in range(config.num_cells):
    reduces = i in reductions
    if reduces:
      scaling *= config.filter_scaling_rate
    back = 3 if reduces and not config.skip_reduction_layer_input else 2
    rows.append(nasnet.Row(
        'Cell_%d' % i, 'cell_%d' % i, PNasNetNormalCell, 2 if reduces else 1,
        scaling, back, aux.get(i)))
  return rows
