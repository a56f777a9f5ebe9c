"""PNASNet-5: one cell found by progressive search, stacked.

C. Liu et al.: Progressive neural architecture search,
https://arxiv.org/abs/1712.00559.
"""
from nets import contrib_scopes
from nets.nasnet import cells
from nets.nasnet import hparams
from nets.nasnet import nasnet
from nets.nasnet import nasnet_utils

# The mobile NASNet-A has the same defaults.
pnasnet_large_arg_scope = nasnet.nasnet_mobile_arg_scope
pnasnet_mobile_arg_scope = nasnet.nasnet_mobile_arg_scope


class PNasNetNormalCell(nasnet_utils.NasNetTableCell):
  """The cell of PNASNet-5; with stride 2 it halves the size."""

  table = cells.PNASNET_5


def large_imagenet_config(**overrides):
  """Returns the settings of the large PNASNet-5, (N = 4, F = 216)."""
  return hparams.HParams(
      num_cells=12, num_conv_filters=216, stem_multiplier=3.0,
      total_training_steps=250000, drop_path_keep_prob=0.6,
      skip_reduction_layer_input=1).override_from_dict(overrides)


def mobile_imagenet_config(**overrides):
  """Returns the settings of the mobile PNASNet-5, (N = 3, F = 54)."""
  return hparams.HParams(
      num_cells=9, num_conv_filters=54, stem_multiplier=1.0,
      total_training_steps=250000,
      skip_reduction_layer_input=1).override_from_dict(overrides)


@contrib_scopes.reach
def build_pnasnet_large(images, num_classes, is_training=True,
                        final_endpoint=None, config=None):
  """Builds the large PNASNet-5, designed for images of 331x331.

  Arguments, results and errors are those of `nasnet.build_nasnet_mobile`, with
  4320 features and the default settings `large_imagenet_config()`. There are
  no reduction cells, and drop path depends on the global step.
  """
  config = config or large_imagenet_config()
  rows = nasnet.imagenet_stem_cells(config, PNasNetNormalCell)
  return nasnet.build(
      images, num_classes, is_training, config, nasnet.imagenet_stem(config),
      rows + _cells(config), final_endpoint)


build_pnasnet_large.default_image_size = 331


@contrib_scopes.reach
def build_pnasnet_mobile(images, num_classes, is_training=True,
                         final_endpoint=None, config=None):
  """Builds the mobile PNASNet-5, designed for images of 224x224.

  It is `build_pnasnet_large` with 1080 features and the default settings
  `mobile_imagenet_config()`.
  """
  return build_pnasnet_large(images, num_classes, is_training, final_endpoint,
                             config or mobile_imagenet_config())


build_pnasnet_mobile.default_image_size = 224


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
