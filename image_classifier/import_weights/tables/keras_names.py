"""Names of the layers of Keras applications, and what differs in them.

Versions of Keras differ in the case of letters; `layers.of_keras` ignores it.
"""
from image_classifier.import_weights.name_rules import Rule
from image_classifier.import_weights.sources import Row
from image_classifier.import_weights.tables import nasnet_names

PREPROCESSING = 'inception'

_VGG = [Rule(r'conv\d/conv(\d)_(\d)', 'block{1}_conv{2}'), Rule('fc6', 'fc1'),
        Rule('fc7', 'fc2'), Rule('fc8', 'predictions')]
_RESNET_UNIT = 'conv{1+}_block{2}_'


def _resnet(version, *more):
  unit = r'block(\d)/unit_(\d+)/bottleneck_%s/' % version
  return [
      Rule('conv1', 'conv1_conv', 'conv1_bn'),
      Rule(unit + 'shortcut', _RESNET_UNIT + '0_conv', _RESNET_UNIT + '0_bn'),
      Rule(unit + r'conv(\d)', _RESNET_UNIT + '{3}_conv', _RESNET_UNIT + '{3}_bn'),
      Rule(unit + 'preact', norm=_RESNET_UNIT + 'preact_bn'),
      Rule('postnorm', norm='post_bn'), Rule('logits', 'predictions')] + list(more)


_MOBILENET_V1 = [
    Rule('Conv2d_0', 'conv1', 'conv1_bn'),
    Rule(r'Conv2d_(\d+)_depthwise', 'conv_dw_{1}', 'conv_dw_{1}_bn'),
    Rule(r'Conv2d_(\d+)_pointwise', 'conv_pw_{1}', 'conv_pw_{1}_bn'),
    Rule('Logits/Conv2d_1c_1x1', 'conv_preds')]
_MOBILENET_V2 = [
    Rule('Conv', 'Conv1', 'bn_Conv1'),
    Rule(r'expanded_conv/(\w+)', 'expanded_conv_{1}', 'expanded_conv_{1}_BN'),
    Rule(r'expanded_conv_(\d+)/(\w+)', 'block_{1}_{2}', 'block_{1}_{2}_BN'),
    Rule('Conv_1', 'Conv_1', 'Conv_1_bn'),
    Rule('Logits/Conv2d_1c_1x1', 'predictions')]
_MOBILENET_V3 = [
    Rule(r'(expanded_conv(?:_\d+)?)/squeeze_excite/Conv', '{1}_squeeze_excite_conv'),
    Rule(r'(expanded_conv(?:_\d+)?)/squeeze_excite/Conv_1', '{1}_squeeze_excite_conv_1'),
    Rule(r'(expanded_conv(?:_\d+)?)/(\w+)', '{1}_{2}', '{1}_{2}_bn'),
    Rule('Conv', 'conv', 'conv_bn'), Rule('Conv_1', 'conv_1', 'conv_1_bn'),
    Rule('Conv_2', 'conv_2'), Rule('Logits/Conv2d_1c_1x1', 'logits')]
_UNNAMED = Rule(r'(?!Aux|Logits).*', 'conv2d_{n}', 'batch_normalization_{n}')
_INCEPTION_V3 = [Rule('Logits/Conv2d_1c_1x1', 'predictions'), _UNNAMED]
_INCEPTION_RESNET_V2 = [
    Rule('Logits/Logits', 'predictions'),
    Rule('Conv2d_7b_1x1', 'conv_7b', 'conv_7b_bn'),
    Rule(r'Repeat[_\d]*/(block\d+)_(\d+)/Conv2d_1x1', '{1}_{2}_conv'),
    # The tenth of the blocks of 8, which has no activation.
    Rule('Block8/Conv2d_1x1', 'block8_10_conv'), _UNNAMED]

_V3 = Row(_MOBILENET_V3, variant='exact_hard_sigmoid')
_RESNET_V1 = Row(_resnet('v1'), 1.001e-5, 'keras_resnet_v1', 'vgg', True, True)
_RESNET_V2 = Row(_resnet('v2'), 1.001e-5, 'keras_resnet_v2')
ROWS = {
    'vgg_16': Row(_VGG, preprocessing='vgg', swap_colors=True),
    'vgg_19': Row(_VGG, preprocessing='vgg', swap_colors=True),
    'resnet_v1_50': _RESNET_V1,
    'resnet_v1_101': _RESNET_V1,
    'resnet_v1_152': _RESNET_V1,
    'resnet_v2_50': _RESNET_V2,
    'resnet_v2_101': _RESNET_V2,
    'resnet_v2_152': _RESNET_V2,
    'inception_v3': Row(_INCEPTION_V3),
    'inception_resnet_v2': Row(_INCEPTION_RESNET_V2),
    'mobilenet_v1': Row(_MOBILENET_V1),
    'mobilenet_v1_075': Row(_MOBILENET_V1),
    'mobilenet_v1_050': Row(_MOBILENET_V1),
    'mobilenet_v1_025': Row(_MOBILENET_V1),
    'mobilenet_v2': Row(_MOBILENET_V2),
    'mobilenet_v2_140': Row(_MOBILENET_V2),
    'mobilenet_v2_035': Row(_MOBILENET_V2),
    'mobilenet_v3_large': _V3,
    'mobilenet_v3_large_minimalistic': _V3,
    'mobilenet_v3_small': _V3,
    'mobilenet_v3_small_minimalistic': _V3,
    'nasnet_mobile': Row(nasnet_names.of_keras(4), variant='keras_nasnet'),
    'nasnet_large': Row(nasnet_names.of_keras(6), variant='keras_nasnet'),
}
