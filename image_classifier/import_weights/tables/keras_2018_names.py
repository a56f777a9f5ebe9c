"""Names in files of Keras until 2018, where these differ from later ones.

Its ResNet-50 was one of the first networks of Keras; its layers got other names
when the deeper ones came, in 2019. The last layer of MobileNet V2 was called
`Logits`.
"""
from image_classifier.import_weights.name_rules import Rule
from image_classifier.import_weights.sources import Row
from image_classifier.import_weights.tables import keras_names

PREPROCESSING = 'vgg'

# Numbers of the units are letters there.
_LETTERS = 'abcdef'
_PARTS = (('shortcut', '1'), ('conv1', '2a'), ('conv2', '2b'), ('conv3', '2c'))


def _resnet_50():
  rules = [Rule('conv1', 'conv1', 'bn_conv1'), Rule('logits', 'fc1000')]
  for number, letter in enumerate(_LETTERS, 1):
    for scope, branch in _PARTS:
      name = '{1+}%s_branch%s' % (letter, branch)
      rules.append(Rule(
          r'block(\d)/unit_%d/bottleneck_v1/%s' % (number, scope),
          'res' + name, 'bn' + name))
  return rules


_MOBILENET_V2 = Row(
    [Rule('Logits/Conv2d_1c_1x1', 'Logits')] + list(
        keras_names.ROWS['mobilenet_v2'].rules), preprocessing='inception')
ROWS = {
    'mobilenet_v2': _MOBILENET_V2,
    'mobilenet_v2_140': _MOBILENET_V2,
    'mobilenet_v2_035': _MOBILENET_V2,
    'resnet_v1_50': Row(_resnet_50(), 1e-3, 'keras_resnet_v1', 'vgg', True),
}
