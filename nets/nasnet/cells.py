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

# What a cell computes: each combination adds the results of two operations,
# each applied to a hidden state by its number. State 0 is the cell's input,
# state 1 the input of the cell before it, state 2 the first combination...
Combination = collections.namedtuple(
    'Combination', 'left left_state right right_state')
# `used` says of each hidden state whether it is left out of the output. It is
# not derived from the combinations: published weights want state 1 in the
# output of the normal cell, which uses it.
Cell = collections.namedtuple('Cell', 'combinations used')

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
    operations: names, keys of OPERATIONS, two a combination.
    used_hiddenstates: one entry a hidden state.
    hiddenstate_indices: one hidden state an operation.
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
          'hiddenstate_indices[%d] must lie in [0, %d), the states that there '
          'are by then, not %s.' % (i, 2 + i // 2, state))
