"""Moving statistics: recalibrated, and recognized as stale."""
import tensorflow.compat.v1 as tf

from image_classifier.evaluate import recalibrate_batch_norm


def test_statistics_are_found_by_name():
  names = ['a/weights', 'a/BatchNorm/moving_mean', 'a/BatchNorm/gamma',
           'a/BatchNorm/moving_variance']
  variables = [tf.get_variable(name, [2]) for name in names]
  assert recalibrate_batch_norm.moving_statistics(variables) == [
      variables[1], variables[3]]


def test_recalibration_takes_means_over_the_batches():
  mean = tf.get_variable('x/moving_mean', [2], initializer=tf.zeros_initializer)
  batch = tf.data.make_one_shot_iterator(tf.data.Dataset.from_tensor_slices(
      [[1., 10.], [2., 20.], [6., 60.], [100., 100.]])).get_next()
  done = []
  with tf.Session() as session:
    session.run(mean.initializer)
    recalibrate_batch_norm.recalibrate(
        session, [mean], tf.assign(mean, batch), 3, done.append)
    assert session.run(mean).tolist() == [3.0, 30.0]
  assert done == [1, 2, 3]


def test_a_large_difference_is_reported_with_its_remedy():
  text = '\n'.join(recalibrate_batch_norm.diagnose('Accuracy', 0.2, 0.9, 200))
  assert 'On the first 200 examples Accuracy is 0.200 with the moving' in text
  for remedy in ('--recalibrate_batch_norm=100', '--recalibrated_checkpoint=',
               '--batch_norm_decay', '--freeze_batch_norm'):
    assert remedy in text


def test_a_small_difference_is_chance():
  assert recalibrate_batch_norm.diagnose('Accuracy', 0.6, 0.65, 10000) == []
  assert recalibrate_batch_norm.diagnose('Accuracy', 0.4, 0.7, 16) == []
  assert recalibrate_batch_norm.diagnose('Accuracy', 0.9, 0.2, 10000) == []
