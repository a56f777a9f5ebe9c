"""Names of timm's networks (state_dict), and what differs in them."""
from image_classifier.import_weights.name_rules import Rule
from image_classifier.import_weights.name_rules import table
from image_classifier.import_weights.sources import Row
from image_classifier.import_weights.tables import nasnet_names
from image_classifier.import_weights.tables import torchvision_names

PREPROCESSING = 'torchvision'

_VGG_HEAD = {'fc6': 'pre_logits.fc1', 'fc7': 'pre_logits.fc2', 'fc8': 'head.fc'}

# The number of blocks in each stage: expanded_conv_7 is one in a stage there.
_V2_STAGES = (1, 2, 3, 4, 3, 3, 1)
_V3_LARGE_STAGES = (1, 2, 3, 4, 2, 3)
_V3_SMALL_STAGES = (1, 2, 3, 2, 3)


def _mobilenet(stages, has_first_expansion=False):
  """Returns the rules of the inverted residual blocks of a MobileNet."""
  rules = []
  places = [(stage, block) for stage, number in enumerate(stages)
            for block in range(number)]
  for number, place in enumerate(places):
    scope = 'expanded_conv' + ('_%d' % number if number else '')
    name = 'blocks.%d.%d.' % place
    # A block without expansion counts its layers from the depthwise one.
    is_short = number == 0 and not has_first_expansion
    rules += [
        Rule(scope + '/expand', name + 'conv_pw', name + 'bn1'),
        Rule(scope + '/depthwise', name + 'conv_dw',
             name + ('bn1' if is_short else 'bn2')),
        Rule(scope + '/squeeze_excite/Conv', name + 'se.conv_reduce'),
        Rule(scope + '/squeeze_excite/Conv_1', name + 'se.conv_expand'),
        Rule(scope + '/project', name + ('conv_pw' if is_short else 'conv_pwl'),
             name + ('bn2' if is_short else 'bn3'))]
  return rules + [Rule('Conv', 'conv_stem', 'bn1'),
                  Rule('Logits/Conv2d_1c_1x1', 'classifier')]


def _mobilenet_v3(stages):
  last = 'blocks.%d.0.' % len(stages)
  return _mobilenet(stages) + [
      Rule('Conv_1', last + 'conv', last + 'bn1'), Rule('Conv_2', 'conv_head')]


_MOBILENET_V2 = _mobilenet(_V2_STAGES) + [Rule('Conv_1', 'conv_head', 'bn2')]
_V3_LARGE = Row(_mobilenet_v3(_V3_LARGE_STAGES), 1e-3, 'exact_hard_sigmoid',
                'inception')
_V3_SMALL = Row(_mobilenet_v3(_V3_SMALL_STAGES), 1e-3, 'exact_hard_sigmoid',
                'inception')


def _branches(module, name, pool_branch='3'):
  """Returns the rules of a module of branches; layers are numbered in each."""
  return [
      # Alone in its branch, or behind a pooling.
      Rule(module + '/Branch_0/Conv2d_(?:0a_1x1|1x1|1a_3x3|0a_3x3)',
           name + '.branch0.conv', name + '.branch0.bn'),
      Rule(module + '/Branch_%s/Conv2d_0b_1x1' % pool_branch,
           name + '.branch%s.1.conv' % pool_branch,
           name + '.branch%s.1.bn' % pool_branch),
      Rule(module + r'/Branch_([12])/[^/]+',
           name + '.branch{N}.{i}.conv', name + '.branch{N}.{i}.bn')]


def _stack(module, name):
  """Returns the rules of a module whose branches all are sequences."""
  return [Rule(module + r'/Branch_(\d)/[^/]+',
               name + '.branch{N}.{i}.conv', name + '.branch{N}.{i}.bn')]


def _numbered(rules, group):
  """Replaces {N}, the number of the branch, by its group in the pattern."""
  def text(value):
    return value and value.replace('{N}', '{%d}' % group)
  return [rule._replace(conv=text(rule.conv), norm=text(rule.norm))
          for rule in rules]


def _inception_v4():
  rules = [Rule('Logits/Logits', 'last_linear'),
           Rule('Mixed_3a/Branch_1/Conv2d_0a_3x3', 'features.3.conv.conv',
                'features.3.conv.bn'),
           Rule('Mixed_5a/Branch_0/Conv2d_1a_3x3', 'features.5.conv.conv',
                'features.5.conv.bn')]
  for index, scope in enumerate(
      ('Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3')):
    rules.append(Rule(scope, 'features.%d.conv' % index,
                      'features.%d.bn' % index))
  for index, module in ((4, '4a'), (18, '7a')):
    rules += _numbered(_stack('Mixed_' + module, 'features.%d' % index), 1)
  modules = [(6 + i, '5' + letter) for i, letter in enumerate('bcde')] + [
      (10 + i, '6' + letter) for i, letter in enumerate('abcdefgh')]
  for index, module in modules:
    rules += _numbered(
        _branches('Mixed_' + module, 'features.%d' % index), 1)
  places = (
      ('1', 0, '1_0'), ('1', 1, '1_1a'), ('1', 2, '1_1b'), ('2', 0, '2_0'),
      ('2', 1, '2_1'), ('2', 2, '2_2'), ('2', 3, '2_3a'), ('2', 4, '2_3b'))
  for feature, letter in enumerate('bcd', 19):
    module, name = 'Mixed_7' + letter, 'features.%d' % feature
    for branch, index, last in places:
      rules.append(Rule(
          '%s/Branch_%s/[^/]+' % (module, branch), '%s.branch%s.conv' % (
              name, last), '%s.branch%s.bn' % (name, last), index))
    rules += _branches(module, name)[:2]
  return rules


def _inception_resnet_v2():
  rules = table({'Conv2d_1a_3x3': 'conv2d_1a', 'Conv2d_2a_3x3': 'conv2d_2a',
                 'Conv2d_2b_3x3': 'conv2d_2b', 'Conv2d_3b_1x1': 'conv2d_3b',
                 'Conv2d_4a_3x3': 'conv2d_4a', 'Conv2d_7b_1x1': 'conv2d_7b'})
  rules = [rule._replace(conv=rule.conv + '.conv', norm=rule.conv + '.bn')
           for rule in rules]
  rules.append(Rule('Logits/Logits', 'classif'))
  rules += _numbered(_branches('Mixed_5b', 'mixed_5b'), 1)
  rules += _numbered(_branches('Mixed_6a', 'mixed_6a'), 1)
  rules += _numbered(_stack('Mixed_7a', 'mixed_7a'), 1)
  for repeat, block in (('Repeat', 'block35'), ('Repeat_1', 'block17'),
                        ('Repeat_2', 'block8')):
    module = r'%s/%s_(\d+)' % (repeat, block)
    name = repeat.lower() + '.{1-}'
    rules.append(Rule(module + '/Conv2d_1x1', name + '.conv2d'))
    rules += _numbered(_branches(module, name), 2)
  rules.append(Rule('Block8/Conv2d_1x1', 'block8.conv2d'))
  return rules + _numbered(_branches('Block8', 'block8'), 1)


ROWS = {
    'vgg_a': Row(torchvision_names.vgg_features('vgg_a') + table(_VGG_HEAD)),
    'vgg_16': Row(torchvision_names.vgg_features('vgg_16') + table(_VGG_HEAD)),
    'vgg_19': Row(torchvision_names.vgg_features('vgg_19') + table(_VGG_HEAD)),
    'resnet_v1_50': Row(torchvision_names.RESNET, 1e-5, 'torch_resnet'),
    'resnet_v1_101': Row(torchvision_names.RESNET, 1e-5, 'torch_resnet'),
    'resnet_v1_152': Row(torchvision_names.RESNET, 1e-5, 'torch_resnet'),
    'mobilenet_v2': Row(_MOBILENET_V2, 1e-5, 'torch_mobilenet'),
    'mobilenet_v2_140': Row(_MOBILENET_V2, 1e-5, 'torch_mobilenet'),
    'mobilenet_v3_large': _V3_LARGE,
    'mobilenet_v3_large_minimalistic': _V3_LARGE,
    'mobilenet_v3_small': _V3_SMALL,
    'mobilenet_v3_small_minimalistic': _V3_SMALL,
    'inception_v3': Row(torchvision_names.INCEPTION_V3, 1e-3, 'torch_inception',
                        'inception'),
    'inception_v4': Row(_inception_v4(), preprocessing='inception'),
    'inception_resnet_v2': Row(
        _inception_resnet_v2(), preprocessing='inception'),
    'nasnet_large': Row(
        nasnet_names.of_timm('conv0', ''), 1e-3, 'timm_nasnet', 'inception'),
    'pnasnet_large': Row(
        nasnet_names.of_timm('conv_0', 'conv_prev_1x1.'), preprocessing='inception'),
}
