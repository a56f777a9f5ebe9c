"""The parts of the benchmark of training."""
import tensorflow.compat.v1 as tf

from benchmarks import train


class _Bare:
  """Stands for a BareStep."""

  def __init__(self):
    self.steps = []

  def run(self, steps):
    self.steps.append(steps)


def test_windows_take_turns_with_the_bare_step():
  bare = _Bare()
  windows = train.make_windows(bare, 0.0, 2)
  step = tf.train.get_or_create_global_step()
  update = step.assign_add(1)
  with tf.train.MonitoredSession(hooks=[windows]) as session:
    while not session.should_stop():
      last = session.run(update)
  # Three steps to get warm, then two windows of ten.
  assert (last, bare.steps) == (23, [10, 10])
  assert [row[0] for row in windows.rows] == [10, 10]
  assert all(len(row) == 5 and row[1] > 0 for row in windows.rows)


def test_the_spread_is_median_and_quartiles():
  assert train._spread([1.0]) == '1.000 (1.000-1.000)'
  assert train._spread([0.9, 0.5, 1.0, 0.8, 0.7]) == '0.800 (0.700-0.900)'


def test_the_cases_are_trainings():
  for name in train.CASES:
    data = {kind: (kind, 'folder') for kind in ('digits', 'png', 'jpeg')}
    options = train.make_options(name, data, 'model')
    assert options.model.model_name == name
    assert options.data.dataset_name == train.CASES[name].data
