"""Options of the networks of the factory, as tables for the contract test.

A network in none of the tables is tested for what all networks do, and for the
arguments in its signature.
"""
import collections

from nets import i3d
from nets import inception
from nets import inception_resnet_v2
from nets import mobilenet_v1
from nets import nets_factory
from nets import s3dg
from nets.nasnet import nasnet
from nets.nasnet import pnasnet

# These have the form of another network and differ from it in width or depth;
# building that one, the smaller, is enough.
SAME_FORM = {
    'vgg_16': 'vgg_a',
    'vgg_19': 'vgg_a',
    'resnet_v1_101': 'resnet_v1_50',
    'resnet_v1_152': 'resnet_v1_50',
    'resnet_v1_200': 'resnet_v1_50',
    'resnet_v2_101': 'resnet_v2_50',
    'resnet_v2_152': 'resnet_v2_50',
    'resnet_v2_200': 'resnet_v2_50',
    'mobilenet_v1': 'mobilenet_v1_050',
    'mobilenet_v1_075': 'mobilenet_v1_050',
    'mobilenet_v1_025': 'mobilenet_v1_050',
    'mobilenet_v2': 'mobilenet_v2_035',
    'mobilenet_v2_140': 'mobilenet_v2_035',
    'mobilenet_v3_large': 'mobilenet_v3_small',
    'mobilenet_v3_small_minimalistic': 'mobilenet_v3_small',
    'mobilenet_v3_large_minimalistic': 'mobilenet_v3_small',
    'mobilenet_edgetpu': 'mobilenet_edgetpu_075',
    'nasnet_large': 'nasnet_mobile',
    'pnasnet_large': 'pnasnet_mobile',
}
FORMS = [name for name in nets_factory.networks_map if name not in SAME_FORM]

_CELLS = {'num_cells': 3, 'num_conv_filters': 4}
# Options under which a network keeps its form and is quicker to build.
SMALL = {
    'nasnet_cifar': {'config': nasnet.cifar_config(**_CELLS)},
    'nasnet_mobile': {'config': nasnet.mobile_imagenet_config(**_CELLS)},
    'pnasnet_mobile': {'config': pnasnet.mobile_imagenet_config(**_CELLS)},
}

# Shapes of images of another size, and of the features that they give. Without
# an entry the images are 32 pixels larger, and the features may have any shape
# of rank 2 or of the images' rank.
FEATURES = {
    'alexnet_v2': ([256, 256, 3], [2, 2, 4096]),
    'cifarnet': ([40, 40, 3], [192]),
    'overfeat': ([281, 281, 3], [2, 2, 4096]),
    'vgg_a': ([256, 288, 3], [2, 3, 4096]),
    'inception_v1': ([256, 288, 3], [2, 3, 1024]),
    'inception_v2': ([192, 160, 3], [1, 1, 1024]),
    'inception_v3': ([192, 160, 3], [1, 1, 2048]),
    'inception_v4': ([None, None, 3], [1, 1, 1536]),
    'inception_resnet_v2': ([None, None, 3], [1, 1, 1536]),
    'i3d': ([8, 128, 96, 3], [1, 1, 1, 1024]),
    's3dg': ([8, 128, 96, 3], [1, 1, 1, 1024]),
    'lenet': ([36, 40, 1], [1024]),
    'resnet_v1_50': ([128, 96, 3], [1, 1, 2048]),
    'resnet_v2_50': ([128, 96, 3], [1, 1, 2048]),
    'mobilenet_v1_050': ([192, 160, 3], [1, 1, 512]),
    'mobilenet_v2_035': ([None, None, 3], [1, 1, 1280]),
    'mobilenet_v3_small': ([None, None, 3], [1, 1, 1024]),
    'mobilenet_edgetpu_075': ([None, None, 3], [1, 1, 1280]),
    'nasnet_cifar': ([40, 48, 3], [96]),
    'nasnet_mobile': ([96, 128, 3], [96]),
    'pnasnet_mobile': ([96, 128, 3], [80]),
}

# Arguments besides `global_pool` with which networks accept images of any size.
# Those that always pool over the whole map have no such argument.
ANY_SIZE = {
    'inception_v3': {'create_aux_logits': False},
}

# Networks without global pooling on larger images: options, shape of the
# images, sizes of the logits. Without an entry those that take
# `spatial_squeeze` are given images of the size they were designed for.
DENSE = [
    ('alexnet_v2', {}, [300, 400, 3], [4, 7]),
    ('overfeat', {}, [281, 313, 3], [2, 3]),
    ('vgg_a', {}, [256, 288, 3], [2, 3]),
    ('vgg_a', {'fc_conv_padding': 'SAME'}, [160, 128, 3], [5, 4]),
    ('inception_v1', {}, [256, 288, 3], [2, 3]),
    ('inception_v2', {}, [288, 352, 3], [2, 3]),
    ('inception_v3', {'create_aux_logits': False}, [363, 427, 3], [2, 3]),
    ('i3d', {}, [8, 256, 288, 3], [2, 3]),
    ('resnet_v1_50', {'global_pool': False}, [65, 97, 3], [3, 4]),
    ('resnet_v2_50', {'global_pool': False}, [65, 97, 3], [3, 4]),
    ('mobilenet_v1_050', {}, [288, 352, 3], [2, 3]),
]

# A way to build something: a network of the factory, or a function that makes
# (net, end_points) of images; and further arguments of it.
Way = collections.namedtuple('Way', 'what options')


def way(what, **options):
  return Way(what, options)


VIDEO_FUNCTIONS = (i3d.i3d_base, s3dg.s3dg_base)
_INCEPTION_RESNET_BASE = inception_resnet_v2.inception_resnet_v2_base
_BASE_V1 = mobilenet_v1.mobilenet_v1_base

# Size of the images and of the result for each output stride.
OUTPUT_STRIDES = [
    (way('resnet_v1_50', global_pool=False, output_stride=4), 65, 17),
    (way('resnet_v1_50', global_pool=False, output_stride=8), 65, 9),
    (way('resnet_v1_50', global_pool=False, output_stride=16), 65, 5),
    (way('resnet_v2_50', global_pool=False, output_stride=8), 65, 9),
    (way(_BASE_V1, output_stride=8), 65, 9),
    (way(_BASE_V1, output_stride=16), 65, 5),
    (way(_BASE_V1, output_stride=32, use_explicit_padding=True), 65, 3),
    (way(_BASE_V1, output_stride=8, use_explicit_padding=True), 65, 9),
    (way('mobilenet_v2_035', base_only=True, output_stride=8), 65, 9),
    (way('mobilenet_v2_035', base_only=True, output_stride=16), 65, 5),
    (way('mobilenet_v3_small', base_only=True, output_stride=8, final_endpoint='layer_13'), 65, 9),
    (way('mobilenet_edgetpu_075', base_only=True, output_stride=16), 65, 5),
    (way(_INCEPTION_RESNET_BASE, output_stride=8, align_feature_maps=True,
         final_endpoint='Mixed_6a'), 65, 9),
    (way(_INCEPTION_RESNET_BASE, output_stride=16, align_feature_maps=True,
         final_endpoint='Mixed_6a'), 65, 5),
]

# Channels of the result.
DEPTH_MULTIPLIERS = [
    (way('resnet_v1_50', depth_multiplier=0.25), 512),
    (way(_BASE_V1, depth_multiplier=0.5, final_endpoint='Conv2d_3_pointwise'), 64),
    (way(_BASE_V1, depth_multiplier=0.1, min_depth=20, final_endpoint='Conv2d_2_pointwise'), 20),
    (way('mobilenet_v2', depth_multiplier=0.35, base_only=True, final_endpoint='layer_7'), 16),
    (way('mobilenet_v3_small', depth_multiplier=1.25, base_only=True,
         final_endpoint='layer_4'), 32),
    (way('mobilenet_edgetpu', depth_multiplier=0.5, base_only=True, final_endpoint='layer_4'), 16),
    (way(inception.inception_v2_base, depth_multiplier=0.5, final_endpoint='Mixed_3b'), 128),
    (way(inception.inception_v3_base, depth_multiplier=0.25, final_endpoint='Mixed_5b'), 72),
    (way(s3dg.s3dg_base, depth_multiplier=0.5, final_endpoint='Mixed_3b'), 128),
]

# Ways that take `use_explicit_padding`.
EXPLICIT_PADDING = [
    way(_BASE_V1, final_endpoint='Conv2d_6_pointwise'),
    way('mobilenet_v2_035', base_only=True, final_endpoint='layer_9'),
    way('mobilenet_v3_small', base_only=True, final_endpoint='layer_6'),
    way('mobilenet_edgetpu_075', base_only=True, final_endpoint='layer_7'),
]

# Whether training with images of this size has auxiliary logits.
AUXILIARY_LOGITS = [
    (way('inception_v3', create_aux_logits=True), 149, True),
    (way('inception_v3', create_aux_logits=False), 149, False),
    (way('nasnet_cifar', **SMALL['nasnet_cifar']), 32, True),
    (way('nasnet_cifar', config=nasnet.cifar_config(use_aux_head=0, **_CELLS)), 32, False),
    (way('pnasnet_mobile', **SMALL['pnasnet_mobile']), 160, True),
]

# Channels last, channels first: the arguments, shape of the images,
# an end point and its shape.
DATA_FORMATS = [
    (way(inception.inception_v2_base, use_separable_conv=False, final_endpoint='Mixed_3c',
         data_format='NHWC'), [32, 48, 3], 'Mixed_3c', [4, 6, 320]),
    (way(inception.inception_v2_base, use_separable_conv=False, final_endpoint='Mixed_3c',
         data_format='NCHW'), [3, 32, 48], 'Mixed_3c', [320, 4, 6]),
    (way(s3dg.s3dg_base, final_endpoint='Mixed_3b'), [4, 32, 48, 3], 'Mixed_3b', [2, 4, 6, 256]),
    (way(s3dg.s3dg_base, final_endpoint='Mixed_3b', data_format='NCDHW'), [3, 4, 32, 48],
     'Mixed_3b', [256, 2, 4, 6]),
    (way('nasnet_cifar', config=nasnet.cifar_config(data_format='NHWC', **_CELLS)), [32, 48, 3],
     'Cell_1', [16, 24, 48]),
    (way('nasnet_cifar', config=nasnet.cifar_config(data_format='NCHW', **_CELLS)), [32, 48, 3],
     'Cell_1', [48, 16, 24]),
    (way('pnasnet_mobile', config=pnasnet.mobile_imagenet_config(data_format='NCHW', **_CELLS)),
     [64, 96, 3], 'Cell_0', [20, 8, 12]),
]

# Functions that take `final_endpoint`, beside the networks of the factory that
# have it in their signature, and names that the message must list.
FINAL_ENDPOINTS = [
    (way(inception.inception_v1_base), ['Conv2d_1a_7x7', 'Mixed_5c']),
    (way(inception.inception_v2_base), ['Conv2d_1a_7x7', 'Mixed_5c']),
    (way(inception.inception_v3_base), ['Conv2d_1a_3x3', 'Mixed_7c']),
    (way(inception.inception_v4_base), ['Conv2d_1a_3x3', 'Mixed_7d']),
    (way(_INCEPTION_RESNET_BASE), ['Conv2d_1a_3x3', 'PreAuxLogits']),
    (way(i3d.i3d_base), ['Conv2d_1a_7x7', 'Mixed_5c']),
    (way(s3dg.s3dg_base), ['Conv2d_1a_7x7', 'Mixed_5c']),
    (way(_BASE_V1), ['Conv2d_0', 'Conv2d_13_pointwise']),
    (way('mobilenet_v2'), ['layer_1', 'layer_19']),
    (way('mobilenet_v3_large', base_only=True), ['layer_1', 'layer_19']),
    (way('mobilenet_edgetpu'), ['layer_1', 'layer_24']),
    (way('nasnet_large'), ['Stem', 'Reduction_Cell_1', 'Cell_17']),
    (way('pnasnet_large'), ['Stem', 'Cell_11']),
]
