"""Names of the layers of NASNet-A and PNASNet-5 in timm and in Keras."""
from image_classifier.import_weights.name_rules import Rule

_CELL = r'((?:reduction_)?cell_(?:stem_)?\d+)/'
_HALF = _CELL + r'comb_iter_(\d)/(left|right)/'


def of_timm(stem, halving):
  """Returns the rules of a network of timm.

  Args:
    stem: its name of the first convolution.
    halving: what is between the name of a cell and those of the layers that
      halve the size of its second input.
  """
  half = '{1}.comb_iter_{2}_{3}'
  return [
      Rule('conv0', stem + '.conv'), Rule('conv0_bn', norm=stem + '.bn'),
      Rule(_CELL + '1x1', '{1}.conv_1x1.conv'),
      Rule(_CELL + 'beginning_bn', norm='{1}.conv_1x1.bn'),
      Rule(_CELL + 'prev_1x1', '{1}.conv_prev_1x1.conv'),
      Rule(_CELL + 'prev_bn', norm='{1}.conv_prev_1x1.bn'),
      Rule(_CELL + r'path(\d)_conv', '{1}.' + halving + 'path_{2}.conv'),
      Rule(_CELL + 'final_path_bn', norm='{1}.' + halving + 'final_path_bn'),
      Rule(_HALF + r'separable_\dx\d_(\d)', half + '.separable_{4}.depthwise_conv2d'),
      Rule(_HALF + r'separable_\dx\d_(\d)/pointwise',
           half + '.separable_{4}.pointwise_conv2d'),
      Rule(_HALF + r'bn_sep_\dx\d_(\d)', norm=half + '.bn_sep_{4}'),
      Rule(_HALF + '1x1', half + '.conv'), Rule(_HALF + 'bn_1', norm=half + '.bn'),
      Rule('final_layer/FC', 'last_linear')]


def of_keras(blocks):
  """Returns the rules of a network of Keras, of 3 times `blocks` cells."""
  rules = [Rule('conv0', 'stem_conv1'), Rule('conv0_bn', norm='stem_bn1'),
           Rule('final_layer/FC', 'predictions')]
  cells = [('cell_stem_%d' % i, 'reduction', 'stem_%d' % (i + 1))
           for i in range(2)]
  cells += [('reduction_cell_%d' % i, 'reduction',
             'reduce_%d' % (blocks * (i + 1))) for i in range(2)]
  # Only the first reduction takes part in the count of the cells.
  cells += [('cell_%d' % i, 'normal', '%d' % (i + (i >= blocks)))
            for i in range(3 * blocks)]
  for scope, kind, cell in cells:
    rules += _cell_of_keras(scope + '/', kind, cell)
  return rules


def _cell_of_keras(scope, kind, cell):
  rules = [
      Rule(scope + '1x1', '%s_conv_1_%s' % (kind, cell)),
      Rule(scope + 'beginning_bn', norm='%s_bn_1_%s' % (kind, cell)),
      Rule(scope + r'path(\d)_conv', 'adjust_conv_{1}_' + cell),
      Rule(scope + 'prev_1x1', 'adjust_conv_projection_' + cell),
      Rule(scope + '(?:final_path|prev)_bn', norm='adjust_bn_' + cell)]
  for number in range(5):
    # The fifth of the reduction is called the fourth.
    index = 4 if (kind, number) == ('reduction', 4) else number + 1
    for side in 'left', 'right':
      half = '%scomb_iter_%d/%s/' % (scope, number, side)
      name = '%s_%s%d_%s' % (kind, side, index, cell)
      rules += [
          Rule(half + r'separable_\dx\d_(\d)(?:/pointwise)?', 'separable_conv_{1}_' + name),
          Rule(half + r'bn_sep_\dx\d_(\d)', norm='separable_conv_{1}_bn_' + name)]
  return rules
