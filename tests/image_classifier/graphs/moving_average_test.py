"""Moving averages: values, names, warm start."""
import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from image_classifier.graphs import moving_average

_NAME = 'w/ExponentialMovingAverage'


def _variable_and_average(decay=0.9999):
  step = tf.train.get_or_create_global_step()
  variable = slim.model_variable('w', [1], initializer=tf.zeros_initializer())
  return step, variable, moving_average.MovingAverage(decay, step)


def test_decay_grows_with_the_step():
  step, variable, average = _variable_and_average()
  update = average.update_op()
  shadow = [v for v in tf.global_variables() if v.op.name == _NAME][0]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for number, decay in ((0, 0.1), (9, 10 / 19), (90, 0.91)):
      session.run([tf.assign(step, number), tf.assign(shadow, [1.0]),
                   tf.assign(variable, [2.0])])
      session.run(update)
      np.testing.assert_allclose(
          session.run(shadow), [decay + 2 * (1 - decay)], rtol=1e-5)


def test_start_op_takes_over_loaded_weights():
  _, variable, average = _variable_and_average()
  average.update_op()
  shadow = [v for v in tf.global_variables() if v.op.name == _NAME][0]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(tf.assign(variable, [5.0]))
    session.run(average.start_op())
    assert session.run(shadow) == [5.0]


def test_names_to_restore():
  variable = slim.model_variable('w', [1])
  assert moving_average.variables_to_restore(None) == {'w': variable}
  assert moving_average.variables_to_restore(0.9) == {_NAME: variable}
