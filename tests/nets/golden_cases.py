"""The networks that have goldens: all of the factory, variants and GANs.

Building all of them takes minutes. `tested` says which graphs the tests build:

  BOTH        training and evaluation, each in a fresh graph: the GANs
  REUSE       training, then evaluation with the same variables: all networks
              of the factory but those that share the form of another
  EVALUATION  evaluation only: those
  NONE        none; `python -m tests.golden.renew --check` builds all
"""
import collections
import functools

import tf_slim as slim

from nets import cyclegan
from nets import dcgan
from nets import inception
from nets import mobilenet_v1
from nets import nets_factory
from nets import pix2pix
from nets.mobilenet import mobilenet_v3
from nets.nasnet import nasnet
from nets.nasnet import pnasnet
from tests.nets import contracts

BOTH, REUSE, EVALUATION, NONE = 'both', 'reuse', 'evaluation', 'none'

# `build` makes (net, end_points) of (images, is_training); `shape` is that of
# the images; `like` names the case that most is equal to; `network` is the
# factory's name or None; `gain` is that of the numbers that are kept, or None.
Case = collections.namedtuple(
    'Case', 'name build shape tested like network gain')

_WEIGHT_DECAY = 4e-5
_CLASSES = 1001
_TEN_CLASSES = frozenset(['cifarnet', 'lenet', 'nasnet_cifar'])
_VIDEO = [None, 10, 112, 112, 3]

# The networks of which numbers are kept; see `golden_numbers` for the gain.
_GAINS = {
    'alexnet_v2': 1,
    'cifarnet': 1,
    'inception_v1': 1,
    'inception_v2': 1,
    'inception_v3': 1.2,
    'lenet': 1,
    'mobilenet_edgetpu_075': 1,
    'mobilenet_v1_050': 1,
    'mobilenet_v2_035': 1,
    'mobilenet_v3_small': 1,
    'nasnet_cifar': 1,
    'pnasnet_mobile': 1,
    'resnet_v1_50': 1,
    'resnet_v2_50': 1,
    's3dg': 1.4,
}


def _from_factory(network, num_classes, options, images, is_training):
  network_fn = nets_factory.get_network_fn(
      network, num_classes, weight_decay=_WEIGHT_DECAY, is_training=is_training)
  return network_fn(images, **options)


def _network(name):
  """Returns the case of a network of the factory."""
  size = nets_factory.networks_map[name].default_image_size
  classes = 10 if name in _TEN_CLASSES else _CLASSES
  return Case(
      name, functools.partial(_from_factory, name, classes, {}),
      _VIDEO if nets_factory.takes_video(name) else [None, size, size, 3],
      EVALUATION if name in contracts.SAME_FORM else REUSE, None, name,
      _GAINS.get(name))


def _variant(name, network, *sizes, num_classes=_CLASSES, tested=NONE,
             channels=3, **options):
  """Returns the case of a network of the factory with options.

  Args:
    name: of the case.
    network: of the factory.
    *sizes: height and width of the images; the default image size if omitted.
    num_classes: number of classes.
    tested: see the head of this file.
    channels: of the images.
    **options: arguments of the network.
  """
  size = nets_factory.networks_map[network].default_image_size
  return Case(
      name, functools.partial(_from_factory, network, num_classes, options),
      [None] + list(sizes or [size, size]) + [channels], tested, network, None,
      None)


# A function that builds a network without logits, its arg scope, and the
# factory's name of the network.
_Base = collections.namedtuple('_Base', 'function scope network')
_MOBILENET_V1 = _Base(
    mobilenet_v1.mobilenet_v1_base, mobilenet_v1.mobilenet_v1_arg_scope,
    'mobilenet_v1')
_INCEPTION_V2 = _Base(
    inception.inception_v2_base, inception.inception_v2_arg_scope,
    'inception_v2')
_INCEPTION_RESNET_V2 = _Base(
    inception.inception_resnet_v2_base,
    inception.inception_resnet_v2_arg_scope, 'inception_resnet_v2')


def _from_base(base, options, images, is_training):
  with slim.arg_scope(base.scope(weight_decay=_WEIGHT_DECAY)):
    with slim.arg_scope([slim.batch_norm], is_training=is_training):
      return base.function(images, **options)


def _base(name, base, *sizes, **options):
  """Returns the case of a `_Base` on images of these sizes."""
  return Case(name, functools.partial(_from_base, base, options),
              [None] + list(sizes), NONE, base.network, None, None)


def _from_gan(function, scope, options, images, is_training):
  with slim.arg_scope(scope()):
    return function(images, is_training=is_training, **options)


def _gan(name, function, shape, scope=dict, gain=None, **options):
  """Returns the case of a generator or a discriminator."""
  return Case(name, functools.partial(_from_gan, function, scope, options),
              [None] + shape, BOTH, None, None, gain)


_RESNETS = [
    variant
    for name in ('resnet_v1_50', 'resnet_v2_50')
    for variant in (
        _variant(name + '_features', name, num_classes=None),
        _variant(name + '_os8_features', name, 225, 225, num_classes=None,
                 output_stride=8, global_pool=False),
        _variant(name + '_os16_dense21', name, 225, 225, num_classes=21,
                 output_stride=16, global_pool=False, spatial_squeeze=False),
        _variant(name + '_dense21', name, 225, 225, num_classes=21,
                 global_pool=False, spatial_squeeze=False))
] + [
    _variant('resnet_v1_50_dm050', 'resnet_v1_50', depth_multiplier=0.5),
    _variant('resnet_v1_50_nonstrided', 'resnet_v1_50', 225, 225, num_classes=None,
             store_non_strided_activations=True, global_pool=False),
    _variant('resnet_v1_50_nonstrided_os8', 'resnet_v1_50', 225, 225, num_classes=None,
             store_non_strided_activations=True, global_pool=False, output_stride=8),
]

_MOBILENETS = [
    _base('mobilenet_v1_base_os8', _MOBILENET_V1, 224, 224, 3, output_stride=8),
    _base('mobilenet_v1_base_os16', _MOBILENET_V1, 224, 224, 3, output_stride=16),
    _base('mobilenet_v1_base_explicit_padding', _MOBILENET_V1, 224, 224, 3,
          use_explicit_padding=True),
    _base('mobilenet_v1_base_explicit_padding_os16', _MOBILENET_V1, 224, 224, 3,
          use_explicit_padding=True, output_stride=16),
    _variant('mobilenet_v1_dm140', 'mobilenet_v1', depth_multiplier=1.4),
    _variant('mobilenet_v1_global_pool', 'mobilenet_v1', 256, 256, global_pool=True),
    _variant('mobilenet_v2_base', 'mobilenet_v2', base_only=True),
    _variant('mobilenet_v2_os8', 'mobilenet_v2', output_stride=8),
    _variant('mobilenet_v2_os16', 'mobilenet_v2', output_stride=16),
    _variant('mobilenet_v2_dm050', 'mobilenet_v2', depth_multiplier=0.5,
             finegrain_classification_mode=True),
    _variant('mobilenet_v2_dm035_plain', 'mobilenet_v2', depth_multiplier=0.35),
    _variant('mobilenet_v2_min_depth_divisible', 'mobilenet_v2',
             depth_multiplier=0.1, min_depth=3, divisible_by=3),
    _variant('mobilenet_v2_explicit_padding', 'mobilenet_v2', use_explicit_padding=True),
    _variant('mobilenet_v2_explicit_padding_os16', 'mobilenet_v2',
             use_explicit_padding=True, output_stride=16),
    _variant('mobilenet_v3_large_dm075_finegrain', 'mobilenet_v3_large',
             depth_multiplier=0.75, finegrain_classification_mode=True),
    _variant('mobilenet_v3_large_groupnorm', 'mobilenet_v3_large', use_groupnorm=True),
    _variant('mobilenet_v3_small_groupnorm', 'mobilenet_v3_small', use_groupnorm=True),
    _variant('mobilenet_v3_small_reduce_mean', 'mobilenet_v3_small',
             use_reduce_mean_for_pooling=True),
    _variant('mobilenet_v3_large_layer_17', 'mobilenet_v3_large',
             base_only=True, final_endpoint='layer_17'),
    _variant('mobilenet_v3_large_layer_17_os16', 'mobilenet_v3_large',
             base_only=True, final_endpoint='layer_17', output_stride=16),
    _variant('mobilenet_v3_large_detection', 'mobilenet_v3_large', base_only=True,
             conv_defs=mobilenet_v3.V3_LARGE_DETECTION),
    _variant('mobilenet_v3_small_detection', 'mobilenet_v3_small', base_only=True,
             conv_defs=mobilenet_v3.V3_SMALL_DETECTION),
]

_INCEPTIONS = [
    _base('inception_v2_base_plain', _INCEPTION_V2, 224, 224, 3, use_separable_conv=False),
    _base('inception_v2_base_nchw', _INCEPTION_V2, 3, 224, 224,
          use_separable_conv=False, data_format='NCHW'),
    _base('inception_v2_base_rootless', _INCEPTION_V2, 28, 28, 192, include_root_block=False),
    _base('inception_resnet_v2_base_os8', _INCEPTION_RESNET_V2, 224, 224, 3,
          output_stride=8, final_endpoint='PreAuxLogits'),
    _base('inception_resnet_v2_base_aligned', _INCEPTION_RESNET_V2, 224, 224, 3,
          align_feature_maps=True),
    _variant('inception_v1_global_pool', 'inception_v1', 256, 320, global_pool=True),
    _variant('inception_v2_dm050', 'inception_v2', 112, 112, depth_multiplier=0.5),
    _variant('inception_v2_features', 'inception_v2', num_classes=None),
    _variant('inception_v3_dm050', 'inception_v3', depth_multiplier=0.5),
    _variant('inception_v3_features', 'inception_v3', num_classes=None),
    _variant('inception_v3_global_pool', 'inception_v3', 330, 400,
             global_pool=True, create_aux_logits=False),
    _variant('inception_v3_noaux', 'inception_v3', create_aux_logits=False),
    _variant('inception_v4_noaux', 'inception_v4', create_aux_logits=False),
    _variant('inception_resnet_v2_noaux', 'inception_resnet_v2', create_aux_logits=False),
    _variant('s3dg_plain', 's3dg', 10, 112, 112, num_classes=400, gating_startat=None),
    _variant('s3dg_ncdhw', 's3dg', 3, 10, 224, channels=224, num_classes=400,
             data_format='NCDHW'),
]

_NASNETS = [
    _variant('%s_%s' % (network, name), network, num_classes=classes,
             config=config(**{setting: value}))
    for network, classes, config in (
        ('nasnet_cifar', 10, nasnet.cifar_config),
        ('nasnet_mobile', _CLASSES, nasnet.mobile_imagenet_config),
        ('pnasnet_mobile', _CLASSES, pnasnet.mobile_imagenet_config))
    for name, setting, value in (
        ('noaux', 'use_aux_head', 0),
        ('nchw', 'data_format', 'NCHW'),
        ('bounded', 'use_bounded_activation', True))
] + [_variant('nasnet_mobile_features', 'nasnet_mobile', num_classes=None)]

_PLAIN = [
    _variant('alexnet_v2_dense', 'alexnet_v2', 300, 400, spatial_squeeze=False,
             tested=EVALUATION),
    _variant('overfeat_dense', 'overfeat', 281, 281, spatial_squeeze=False,
             tested=EVALUATION),
    _variant('vgg_16_dense', 'vgg_16', 256, 256, spatial_squeeze=False),
    _variant('vgg_16_dense_same', 'vgg_16', 256, 256, spatial_squeeze=False,
             fc_conv_padding='SAME', tested=EVALUATION),
    _variant('vgg_16_global_pool', 'vgg_16', 256, 256, global_pool=True, tested=EVALUATION),
    _variant('vgg_16_features', 'vgg_16', num_classes=None, tested=EVALUATION),
    _variant('lenet_gray', 'lenet', channels=1, num_classes=10, tested=EVALUATION),
    _variant('lenet_features', 'lenet', channels=1, num_classes=None, tested=EVALUATION),
    _variant('cifarnet_features', 'cifarnet', num_classes=None, tested=EVALUATION),
]

_NEAREST = functools.partial(
    cyclegan.cyclegan_upsample, method='nn_upsample_conv')
_BILINEAR = functools.partial(
    cyclegan.cyclegan_upsample, method='bilinear_upsample_conv')
# Dropout is at work in evaluation too; only without it are there numbers.
_BLOCKS = [pix2pix.Block(filters, 0) for filters in (16, 32, 64)]
_GANS = [
    _gan('dcgan_generator', dcgan.generator, [64], gain=1),
    _gan('dcgan_generator_d32_s64', dcgan.generator, [64], depth=32, final_size=64),
    _gan('dcgan_discriminator', dcgan.discriminator, [32, 32, 3], gain=1),
    _gan('dcgan_discriminator_d32_s16', dcgan.discriminator, [16, 16, 3], depth=32),
    _gan('cyclegan_generator', cyclegan.cyclegan_generator_resnet, [32, 32, 3]),
    _gan('cyclegan_generator_k4', cyclegan.cyclegan_generator_resnet, [40, 80, 3], gain=1,
         kernel_size=4, num_resnet_blocks=2, num_filters=16, tanh_linear_slope=0.1),
    _gan('cyclegan_generator_nn', cyclegan.cyclegan_generator_resnet, [32, 32, 3], gain=1,
         num_resnet_blocks=2, num_filters=16, upsample_fn=_NEAREST),
    _gan('cyclegan_generator_bilinear', cyclegan.cyclegan_generator_resnet, [32, 32, 3],
         gain=1, num_resnet_blocks=2, num_filters=16, upsample_fn=_BILINEAR),
    _gan('pix2pix_generator_nn', pix2pix.pix2pix_generator, [256, 256, 3],
         pix2pix.pix2pix_arg_scope, num_outputs=4, upsample_method='nn_upsample_conv'),
    _gan('pix2pix_generator_nn_small', pix2pix.pix2pix_generator, [64, 64, 3],
         pix2pix.pix2pix_arg_scope, gain=1, num_outputs=4, blocks=_BLOCKS,
         upsample_method='nn_upsample_conv'),
    _gan('pix2pix_generator_transpose', pix2pix.pix2pix_generator, [256, 256, 3],
         pix2pix.pix2pix_arg_scope, num_outputs=4, upsample_method='conv2d_transpose'),
    _gan('pix2pix_generator_transpose_small', pix2pix.pix2pix_generator, [64, 64, 3],
         pix2pix.pix2pix_arg_scope, gain=1, num_outputs=4, blocks=_BLOCKS,
         upsample_method='conv2d_transpose'),
    _gan('pix2pix_discriminator', pix2pix.pix2pix_discriminator, [256, 256, 3],
         pix2pix.pix2pix_arg_scope, num_filters=[64, 128, 256, 512]),
    _gan('pix2pix_discriminator_unpadded', pix2pix.pix2pix_discriminator, [64, 64, 3],
         pix2pix.pix2pix_arg_scope, gain=1, num_filters=[16, 32, 64], padding=0),
]

CASES = collections.OrderedDict(
    (case.name, case) for case in
    [_network(name) for name in nets_factory.networks_map] + _RESNETS +
    _MOBILENETS + _INCEPTIONS + _NASNETS + _PLAIN + _GANS)
