"""Losses of several tasks: known values, NumPy, masks, weights and turns."""
import collections
import itertools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.losses import multi_task

_LOGITS = np.float32([[2, -1, .5], [-3, 0, 4]])
_TARGETS = np.float32([[1, 0, 1], [0, 0, 1]])
_EACH = [[.126928, .313262, .474077], [.048587, .693147, .018150]]


def _run(*fetches):
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    values = session.run(fetches)
  return values[0] if len(fetches) == 1 else values


@pytest.mark.parametrize('weights, expected', [
    ([1., 0.], .40760595), (1.0, .20380297), ([0., 0.], 0)])
def test_softmax_values(weights, expected):
  logits = np.float32([[1, 2, 3], [0, 0, 0]])
  targets = np.float32([[0, 0, 1], [0, 0, 0]])
  np.testing.assert_allclose(_run(multi_task.softmax_task_loss(
      logits, targets, weights)), expected, rtol=1e-6)


@pytest.mark.parametrize('order', [1, -1])
def test_softmax_against_numpy(order):
  """Masked, weighted, of targets with fractions; in any order of the batch."""
  random = np.random.RandomState(0)
  logits = 3 * random.randn(12, 5).astype(np.float32)
  targets = random.dirichlet(np.ones(5), 12).astype(np.float32)
  weights = np.float32(random.randint(3, size=12)) / 2
  exps = np.exp(np.float64(logits))
  each = -(targets * np.log(exps / exps.sum(1, keepdims=True))).sum(1)
  tensor = tf.constant(logits[::order])
  loss = multi_task.softmax_task_loss(
      tensor, targets[::order], weights[::order])
  value, gradient = _run(loss, tf.gradients(loss, tensor)[0])
  assert 0 < (weights > 0).sum() < 12
  np.testing.assert_allclose(
      value, (each * weights).sum() / (weights > 0).sum(), rtol=1e-5)
  np.testing.assert_allclose(
      gradient[::order], (exps / exps.sum(1, keepdims=True) - targets) * (
          weights / (weights > 0).sum())[:, None], atol=1e-6)


@pytest.mark.parametrize('loss', [
    multi_task.softmax_task_loss,
    lambda logits, targets, weights: multi_task.sigmoid_task_loss(
        logits, targets, weights[:, None], .1, np.float32([2, 1, 3]))])
@pytest.mark.parametrize('scale', [1, 100])
def test_a_batch_without_labels_costs_nothing_and_changes_nothing(loss, scale):
  logits = tf.constant(scale * _LOGITS)
  for targets in (_TARGETS, 0 * _TARGETS):
    none = loss(logits, targets, tf.zeros([2]))
    value, gradient = _run(none, tf.gradients(none, logits)[0])
    assert value == 0
    np.testing.assert_array_equal(gradient, 0 * _LOGITS)


@pytest.mark.parametrize('changes, expected', [
    ({}, .2790252), ({'label_smoothing': .1}, .3665252),
    ({'weights': [[1.], [0.]]}, .3047556),
    ({'weights': [[1., 1., 0.], [1., 1., 1.]]}, .2400148),
    ({'weights': .5}, .1395126), ({'weights': [[0.], [0.]]}, 0)])
def test_sigmoid_values(changes, expected):
  np.testing.assert_allclose(_run(multi_task.sigmoid_task_loss(
      _LOGITS, _TARGETS, **changes)), expected, rtol=2e-6)


@pytest.mark.parametrize('positive_weight, expected', [
    (1., _EACH),
    (2., [[.253856, .313262, .948154], [.048587, .693147, .036300]])])
def test_sigmoid_of_each_attribute(positive_weight, expected):
  losses, far = _run(
      multi_task.sigmoid_losses(
          _LOGITS, _TARGETS, positive_weight=positive_weight),
      multi_task.sigmoid_losses(
          np.float32([[100, -100]]), np.float32([[0, 1]])))
  np.testing.assert_allclose(losses, expected, rtol=3e-5)
  np.testing.assert_allclose(far, [[100, 100]])
  if positive_weight == 1:
    assert losses.sum() == pytest.approx(1.6741512)


@pytest.mark.parametrize('positive', [3., np.float32([1, 2, 3, 4, .5])])
def test_sigmoid_against_numpy(positive):
  random = np.random.RandomState(0)
  x, z = random.randn(2, 8, 5).astype(np.float32)
  z, known = np.float32(z > 0), np.float32(random.rand(8, 5) < .7)
  z_smooth = z * .8 + .1
  p = 1 / (1 + np.exp(-np.float64(x)))
  each = -(z_smooth * positive * np.log(p) + (1 - z_smooth) * np.log(1 - p))
  np.testing.assert_allclose(_run(multi_task.sigmoid_task_loss(
      x, z, known, .2, positive)), each[known > 0].mean(), rtol=1e-5)


def test_logits_far_off_have_finite_losses_and_gradients():
  logits = tf.constant([[100., -100.], [-100., 100.]])
  for targets in np.float32([[[1, 0], [1, 0]], [[1, 1], [0, 0]]]):
    loss = multi_task.sigmoid_task_loss(logits, targets, 1.0, 0.0, 2.)
    value, gradient = _run(loss, tf.gradients(loss, logits)[0])
    assert 0 <= value <= 200 and np.isfinite(gradient).all()


def test_unknown_labels_have_no_gradient():
  logits = tf.constant(_LOGITS)
  known = np.float32([[1, 1, 0], [0, 1, 1]])
  gradient = _run(tf.gradients(multi_task.sigmoid_task_loss(
      logits, _TARGETS, known), logits)[0])
  np.testing.assert_array_equal(gradient != 0, known > 0)


def _two_tasks(labels):
  """Returns losses and heads of digits (3 classes) and letters (2)."""
  one_hot = tf.one_hot(labels, 5)
  parts = multi_task.split_one_hot(
      one_hot, collections.OrderedDict([('digits', 3), ('letters', 2)]))
  images = tf.constant(np.random.RandomState(0).randn(
      len(labels), 4).astype(np.float32))
  trunk = tf.get_variable('trunk/weights', [4, 4], tf.float32,
                          tf.random_normal_initializer(seed=1))
  features = tf.matmul(images, trunk)
  losses, heads = {}, {}
  for task, (targets, weights) in parts.items():
    heads[task] = tf.get_variable(
        'Predict/%s/weights' % task, [4, targets.shape[1]], tf.float32,
        tf.random_normal_initializer(seed=2))
    losses[task] = multi_task.softmax_task_loss(
        tf.matmul(features, heads[task]), targets, weights)
  return losses, heads, trunk


def test_an_image_belongs_to_one_task():
  parts = multi_task.split_one_hot(
      tf.one_hot([0, 4, 2], 5), collections.OrderedDict([('a', 3), ('b', 2)]))
  found = _run(parts)
  np.testing.assert_array_equal(found['a'][0], np.eye(5)[[0, 4, 2], :3])
  np.testing.assert_array_equal(found['b'][0], [[0, 0], [0, 1], [0, 0]])
  assert [list(weights) for _, weights in found.values()] == [
      [1, 0, 1], [0, 1, 0]]


def test_a_batch_of_one_task_leaves_the_other_head_alone():
  losses, heads, _ = _two_tasks([0, 1, 2, 1])
  gradients = tf.gradients(multi_task.joint_loss(
      losses, {'digits': 1., 'letters': 1.}), list(heads.values()))
  digits, letters, value = _run(*gradients, losses['letters'])
  assert digits.any() and not letters.any() and value == 0


def test_joint_gradient_is_the_weighted_sum():
  losses, _, trunk = _two_tasks([0, 1, 3, 4])
  joint = multi_task.joint_loss(losses, {'digits': 1., 'letters': .3})
  total, digits, letters = _run(*[
      tf.gradients(loss, trunk)[0]
      for loss in (joint, losses['digits'], losses['letters'])])
  np.testing.assert_allclose(total, digits + .3 * letters, atol=1e-6)


def test_a_task_of_weight_0_is_not_trained():
  losses, heads, trunk = _two_tasks([0, 1, 3, 4])
  joint = multi_task.joint_loss(losses, {'digits': 1., 'letters': 0.})
  assert tf.gradients(joint, heads['letters']) == [None]
  gradients = _run(tf.gradients(joint, trunk)[0],
                   tf.gradients(losses['digits'], trunk)[0])
  np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize('weights, message', [
    ({'digits': 1.}, 'The weights are of the tasks digits; the tasks are '
     'digits, letters: give each a weight, 0 to leave it out.'),
    ({'digits': -1., 'letters': 1.}, 'The weight of the task digits is -1; it '
     'must be a number of at least 0.')])
def test_wrong_weights(weights, message):
  with pytest.raises(ValueError) as error:
    multi_task.joint_loss({'digits': 0, 'letters': 0}, weights)
  assert message in str(error.value)


def test_turns_touch_one_head_each():
  losses, heads, trunk = _two_tasks([0, 1, 3, 4])
  # The loss with weight decay of everything, which another head must not feel.
  decay = tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()])
  steps = multi_task.train_ops(
      {task: loss + decay for task, loss in losses.items()},
      tf.train.AdamOptimizer(.1),
      {task: 'Predict/' + task for task in heads})
  variables = dict(heads, trunk=trunk)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(2):  # Adam's momentum of one task must not move another.
      for task, other in (('digits', 'letters'), ('letters', 'digits')):
        before = session.run(variables)
        session.run(steps[task])
        after = session.run(variables)
        for name in ('trunk', task):
          assert (before[name] != after[name]).any()
        np.testing.assert_array_equal(before[other], after[other])


def test_a_dot_in_the_name_of_a_scope_is_a_dot():
  losses, variables = {}, {}
  for task in ('a.b', 'axb'):
    variables[task] = tf.get_variable('Heads/%s/w' % task, initializer=1.)
    losses[task] = tf.square(variables[task])
  steps = multi_task.train_ops(losses, tf.train.GradientDescentOptimizer(.25), {
      task: 'Heads/' + task for task in losses})
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for task in losses:
      session.run(steps[task])
    assert session.run(variables) == {'a.b': .5, 'axb': .5}


def test_a_scope_without_variables():
  with pytest.raises(ValueError, match='The head of the task a has no '
                     'trainable variable in the scope Heads/a.'):
    multi_task.train_ops({'a': 0}, None, {'a': 'Heads/a'})


@pytest.mark.parametrize('schedule, expected', [
    ('joint', {('a', 'b'): 30}), ('alternate', {('a',): 15, ('b',): 15}),
    ([2, 1], {('a',): 20, ('b',): 10}), ([0, 1], {('b',): 30})])
def test_turns(schedule, expected):
  steps = itertools.islice(multi_task.turns(schedule, ['a', 'b']), 30)
  assert collections.Counter(map(tuple, steps)) == expected


@pytest.mark.parametrize('schedule', ['random', [1], [0, 0], [1, -1], [1, .5]])
def test_wrong_schedules(schedule):
  with pytest.raises(ValueError) as error:
    next(multi_task.turns(schedule, ['a', 'b']))
  assert str(error.value) == (
      "The schedule is %r; it must be 'joint', 'alternate' or a list of the "
      "steps in a row of each of the 2 tasks, such as [2, 1]." % (schedule,))


def test_uncertainty_against_numpy():
  random = np.random.RandomState(0)
  losses, logs = random.rand(2, 3).astype(np.float32) * 3 - [[0], [1]]
  tensors = {str(i): tf.constant(value) for i, value in enumerate(losses)}
  variables = {str(i): tf.constant(value) for i, value in enumerate(logs)}
  total = multi_task.uncertainty_loss(tensors, variables)
  value, *gradients = _run(total, *tf.gradients(
      total, [variables[str(i)] for i in range(3)]))
  np.testing.assert_allclose(
      value, (np.exp(-logs) * losses + logs / 2).sum(), rtol=1e-6)
  np.testing.assert_allclose(
      gradients, .5 - np.exp(-logs) * losses, rtol=1e-5)


def test_uncertainty_weights():
  """At the minimum exp(-s) L is 1/2: s is log(2 L)."""
  variables = multi_task.log_variance_variables(['a', 'b'])
  losses = {'a': tf.constant(4.), 'b': tf.constant(.25)}
  total = multi_task.uncertainty_loss(losses, variables)
  step = tf.train.GradientDescentOptimizer(.3).minimize(total)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    assert session.run(total) == 4.25
    for _ in range(200):
      session.run(step)
    found, value = session.run([variables, total])
  assert found == pytest.approx({'a': np.log(8), 'b': np.log(.5)}, abs=1e-4)
  assert value == pytest.approx(1 + np.log(8 * .5) / 2, abs=1e-4)
