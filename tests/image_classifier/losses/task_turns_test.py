"""Tasks that train in turns."""
import collections

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.losses import task_heads
from image_classifier.losses import task_turns


@pytest.mark.parametrize('text, turns', [
    ('joint', ()), ('alternating', (1, 1)), ('2,1', (2, 1))])
def test_schedules(text, turns):
  assert task_turns.parse(text, ['a', 'b']) == turns


@pytest.mark.parametrize('text', ['random', '1', '0,1', '1,-1', '1,2,3', '1,x'])
def test_wrong_schedules(text):
  with pytest.raises(ValueError) as error:
    task_turns.parse(text, ['a', 'b'])
  assert str(error.value) == (
      '--task_schedule=%s: it must be joint, alternating, or the steps in a '
      'row of each of the tasks a, b, such as 2,1.' % text)


def test_words():
  assert task_turns.describe((2, 1), ['a', 'b']) == (
      '2 steps of a, 1 step of b')


def test_thirty_steps_are_twenty_and_ten():
  step = tf.placeholder(tf.int64, [])
  shares = [task_turns.is_on((2, 1), index, step) for index in range(2)]
  with tf.Session() as session:
    found = np.array([session.run(shares, {step: number})
                      for number in range(30)])
  np.testing.assert_array_equal(found.sum(axis=0), [20, 10])
  np.testing.assert_array_equal(found.sum(axis=1), np.ones(30))


@pytest.mark.parametrize('is_resource', [False, True])
def test_other_outputs_of_the_last_layer_stay(is_resource):
  Head = collections.namedtuple('Head', 'classes')
  weights = tf.get_variable(
      'logits', initializer=tf.zeros([2, 3]), use_resource=is_resource)
  step = tf.train.get_or_create_global_step()
  optimizer = tf.train.AdamOptimizer(.1)
  change = task_turns.keep_other_heads(
      lambda: optimizer.apply_gradients([(tf.ones([2, 3]), weights)], step),
      [weights], [Head(['a']), Head(['b', 'c'])], (1, 1), step)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for expected in ([-.1, 0, 0], [-.1, -.1, -.1], [-.2, -.1, -.1]):
      session.run(change)
      np.testing.assert_allclose(
          session.run(weights), [expected] * 2, rtol=1e-4)


def _losses(step, **recipe):
  """Returns losses of two heads at a step: L, and what the recipe makes."""
  heads = [task_heads.Head('a', ['x', 'y'], False, 2.0, 0, [0, 1], None),
           task_heads.Head('b', ['z'], True, 1.0, 2, [2], None)]
  outputs = tf.constant([[1., 0., 2.]])
  labels = tf.constant([[1., 0., 0.]])
  tf.train.get_or_create_global_step()
  task_heads.Recipe(heads, **recipe).add(
      outputs, labels, {'AuxLogits': outputs})
  expected = np.log(1 + np.exp([-1.0, 2.0])) * [2, 1]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for value, variable in zip((.5, -1.), tf.trainable_variables()):
      variable.load(value, session)
    tf.train.get_global_step().load(step, session)
    return expected, session.run(tf.losses.get_losses())


def test_losses_of_the_task_whose_turn_it_is():
  for step, is_on in ((0, [1, 0]), (1, [0, 1])):
    with tf.Graph().as_default():
      (one, other), found = _losses(step, turns=(1, 1))
    np.testing.assert_allclose(found, [
        .4 * one * is_on[0], one * is_on[0], .4 * other * is_on[1],
        other * is_on[1]], rtol=1e-5)


def test_every_task_has_an_uncertainty_of_its_own():
  heads = [task_heads.Head(name, ['x'], False, 1.0, 0, [0], None)
           for name in ('a.b', 'a-b', 'a_b', '\u732b')]
  for _ in range(2):  # The second time they are there.
    made = task_heads.log_variances(heads)
    assert list(made) == [head.task for head in heads]
    assert len({variable.op.name for variable in made.values()}) == 4
  assert len(tf.trainable_variables()) == 4
  assert made['a.b'].op.name == 'log_variance/a_b'


def test_losses_weighted_by_uncertainty():
  (one, other), found = _losses(0, is_uncertain=True)
  np.testing.assert_allclose(found, [
      np.exp(-.5) * .4 * one, np.exp(-.5) * one + .25,
      np.exp(1) * .4 * other, np.exp(1) * other - .5], rtol=1e-5)
