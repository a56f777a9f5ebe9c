"""Names of torchvision's networks (state_dict), and what differs in them."""
from image_classifier.import_weights.name_rules import Rule
from image_classifier.import_weights.name_rules import table
from image_classifier.import_weights.sources import Row

PREPROCESSING = 'torchvision'

# Indices of the convolutions in torchvision's `features`.
_VGG = {
    'vgg_a': ((0,), (3,), (6, 8), (11, 13), (16, 18)),
    'vgg_16': ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)),
    'vgg_19': ((0, 2), (5, 7), (10, 12, 14, 16), (19, 21, 23, 25), (28, 30, 32, 34))}
_VGG_HEAD = {
    'fc6': 'classifier.0', 'fc7': 'classifier.3', 'fc8': 'classifier.6'}


def vgg_features(name):
  """Returns the rules of the convolutions of a VGG network."""
  return table({
      'conv%d/conv%d_%d' % (block, block, number): 'features.%d' % index
      for block, indices in enumerate(_VGG[name], 1)
      for number, index in enumerate(indices, 1)})


RESNET = [
    Rule('conv1', 'conv1', 'bn1'),
    Rule(r'block(\d)/unit_(\d+)/bottleneck_v1/shortcut',
         'layer{1}.{2-}.downsample.0', 'layer{1}.{2-}.downsample.1'),
    Rule(r'block(\d)/unit_(\d+)/bottleneck_v1/conv(\d)',
         'layer{1}.{2-}.conv{3}', 'layer{1}.{2-}.bn{3}'),
    Rule('logits', 'fc')]
_MOBILENET_V2 = [
    Rule('Conv', 'features.0.0', 'features.0.1'),
    Rule('expanded_conv/depthwise', 'features.1.conv.0.0', 'features.1.conv.0.1'),
    Rule('expanded_conv/project', 'features.1.conv.1', 'features.1.conv.2'),
    Rule(r'expanded_conv_(\d+)/expand', 'features.{1+}.conv.0.0', 'features.{1+}.conv.0.1'),
    Rule(r'expanded_conv_(\d+)/depthwise', 'features.{1+}.conv.1.0', 'features.{1+}.conv.1.1'),
    Rule(r'expanded_conv_(\d+)/project', 'features.{1+}.conv.2', 'features.{1+}.conv.3'),
    Rule('Conv_1', 'features.18.0', 'features.18.1'),
    Rule('Logits/Conv2d_1c_1x1', 'classifier.1')]
# In each kind of module: branch and place in it, to the name of the layer.
_MIXED_5 = {'0.0': 'branch1x1', '1.0': 'branch5x5_1', '1.1': 'branch5x5_2',
            '2.0': 'branch3x3dbl_1', '2.1': 'branch3x3dbl_2',
            '2.2': 'branch3x3dbl_3', '3.0': 'branch_pool'}
_MIXED_6A = {'0.0': 'branch3x3', '1.0': 'branch3x3dbl_1',
             '1.1': 'branch3x3dbl_2', '1.2': 'branch3x3dbl_3'}
_MIXED_6 = {'0.0': 'branch1x1', '1.0': 'branch7x7_1', '1.1': 'branch7x7_2',
            '1.2': 'branch7x7_3', '2.0': 'branch7x7dbl_1',
            '2.1': 'branch7x7dbl_2', '2.2': 'branch7x7dbl_3',
            '2.3': 'branch7x7dbl_4', '2.4': 'branch7x7dbl_5',
            '3.0': 'branch_pool'}
_MIXED_7A = {'0.0': 'branch3x3_1', '0.1': 'branch3x3_2',
             '1.0': 'branch7x7x3_1', '1.1': 'branch7x7x3_2',
             '1.2': 'branch7x7x3_3', '1.3': 'branch7x7x3_4'}
_MIXED_7 = {'0.0': 'branch1x1', '1.0': 'branch3x3_1', '1.1': 'branch3x3_2a',
            '1.2': 'branch3x3_2b', '2.0': 'branch3x3dbl_1',
            '2.1': 'branch3x3dbl_2', '2.2': 'branch3x3dbl_3a',
            '2.3': 'branch3x3dbl_3b', '3.0': 'branch_pool'}
_MODULES = (('5[bcd]', _MIXED_5), ('6a', _MIXED_6A), ('6[bcde]', _MIXED_6),
            ('7a', _MIXED_7A), ('7[bc]', _MIXED_7))


def _inception_v3():
  rules = [
      Rule('AuxLogits/Conv2d_1b_1x1', 'AuxLogits.conv0.conv', 'AuxLogits.conv0.bn'),
      Rule('AuxLogits/Conv2d_2a_5x5', 'AuxLogits.conv1.conv', 'AuxLogits.conv1.bn'),
      Rule('AuxLogits/Conv2d_2b_1x1', 'AuxLogits.fc'),
      Rule('Logits/Conv2d_1c_1x1', 'fc'),
      Rule(r'(Conv2d_\d._\dx\d)', '{1}.conv', '{1}.bn')]
  for modules, names in _MODULES:
    for place, name in names.items():
      branch, index = place.split('.')
      rules.append(Rule(
          r'(Mixed_%s)/Branch_%s/[^/]+' % (modules, branch),
          '{1}.%s.conv' % name, '{1}.%s.bn' % name, int(index)))
  return rules


INCEPTION_V3 = _inception_v3()
ROWS = {
    'vgg_a': Row(vgg_features('vgg_a') + table(_VGG_HEAD)),
    'vgg_16': Row(vgg_features('vgg_16') + table(_VGG_HEAD)),
    'vgg_19': Row(vgg_features('vgg_19') + table(_VGG_HEAD)),
    'resnet_v1_50': Row(RESNET, 1e-5, 'torch_resnet'),
    'resnet_v1_101': Row(RESNET, 1e-5, 'torch_resnet'),
    'resnet_v1_152': Row(RESNET, 1e-5, 'torch_resnet'),
    'mobilenet_v2': Row(_MOBILENET_V2, 1e-5, 'torch_mobilenet'),
    # With its own weights torchvision's network brings images from the values
    # of torchvision to those of slim (transform_input).
    'inception_v3': Row(INCEPTION_V3, 1e-3, 'torch_inception', 'inception'),
}
