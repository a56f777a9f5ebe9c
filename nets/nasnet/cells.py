"""The cells found by architecture search, as tables of operations.

NASNet-A: https://arxiv.org/abs/1707.07012, figure 4. PNASNet-5:
https://arxiv.org/abs/1712.00559, figure 1.
"""
import collections

import tf_slim as slim

from nets.nasnet import hparams

Separable = collections.namedtuple('Separable', 'size layers')
Pool = collections.namedtuple('Pool', 'function size')
Identity = collections.namedtuple('Identity', '')

OPERATIONS = {'none': Identity()}
OPERATIONS.update(
    ('separable_%dx%d_%d' % (size, size, layers), Separable(size, layers))
    for size in (3, 5, 7) for layers in (1, 2, 3))
OPERATIONS.update(
    ('%s_pool_%dx%d' % (name, size, size), Pool(function, size))
    for name, function in (('avg', slim.avg_pool2d), ('max', slim.max_pool2d))
    for size in (2, 3, 5, 7))

Combination = collections.namedtuple(
    'Combination', 'left left_state right right_state')
Combination.__doc__ = """The sum of two operations on hidden states.

State 0 is the input of the cell, state 1 the input of the cell before, state 2
the first combination, and so on.

Attributes:
  left: key of OPERATIONS.
  left_state: number of the hidden state that `left` is applied to.
  right: key of OPERATIONS.
  right_state: number of the hidden state that `right` is applied to.
"""
Cell = collections.namedtuple('Cell', 'combinations used')
Cell.__doc__ = """A cell.

`used` is not derived from the combinations: in the published weights the output
of the normal cell contains state 1, although the cell uses it.

Attributes:
  combinations: tuple of Combination.
  used: for each hidden state, 1 to exclude it from the output, or 0.
"""

NASNET_A_NORMAL = Cell(
    combinations=(
        Combination('separable_5x5_2', 0, 'separable_3x3_2', 1),
        Combination('separable_5x5_2', 1, 'separable_3x3_2', 1),
        Combination('avg_pool_3x3', 0, 'none', 1),
        Combination('avg_pool_3x3', 1, 'avg_pool_3x3', 1),
        Combination('separable_3x3_2', 0, 'none', 0)),
    used=(1, 0, 0, 0, 0, 0, 0))

NASNET_A_REDUCTION = Cell(
    combinations=(
        Combination('separable_5x5_2', 0, 'separable_7x7_2', 1),
        Combination('max_pool_3x3', 0, 'separable_7x7_2', 1),
        Combination('avg_pool_3x3', 0, 'separable_5x5_2', 1),
        Combination('none', 3, 'avg_pool_3x3', 2),
        Combination('separable_3x3_2', 2, 'max_pool_3x3', 0)),
    used=(1, 1, 1, 0, 0, 0, 0))

PNASNET_5 = Cell(
    combinations=(
        Combination('separable_5x5_2', 1, 'max_pool_3x3', 1),
        Combination('separable_7x7_2', 0, 'max_pool_3x3', 0),
        Combination('separable_5x5_2', 0, 'separable_3x3_2', 0),
        Combination('separable_3x3_2', 4, 'max_pool_3x3', 0),
        Combination('separable_3x3_2', 1, 'none', 0)),
    used=(1, 1, 0, 0, 0, 0, 0))


def check(operations, used_hiddenstates, hiddenstate_indices):
  """Raises ValueError unless the lists describe a cell.

  Args:
    operations: keys of OPERATIONS, two per combination.
    used_hiddenstates: one entry per hidden state.
    hiddenstate_indices: one hidden state per operation.
  """
  for name in operations:
    if name not in OPERATIONS:
      raise hparams.unknown('operation', name, OPERATIONS)
  lengths = (len(operations), len(hiddenstate_indices), len(used_hiddenstates))
  combinations = lengths[0] // 2
  if lengths != (2 * combinations, 2 * combinations, 2 + combinations):
    raise ValueError(
        'A cell of n combinations has 2n operations, 2n hiddenstate_indices '
        'and n + 2 used_hiddenstates, not %d, %d and %d.' % lengths)
  for i, state in enumerate(hiddenstate_indices):
    if not 0 <= state < 2 + i // 2:
      raise ValueError(
          'hiddenstate_indices[%d] must be in [0, %d), the states before this '
          'combination, not %s.' % (i, 2 + i // 2, state))
