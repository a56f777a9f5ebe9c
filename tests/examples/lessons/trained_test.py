"""The lessons on checkpoints, frozen graphs and sessions, made short."""
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons.trained import end_points
from examples.lessons.trained import freezing
from examples.lessons.trained import frozen_graph
from examples.lessons.trained import new_classifier
from examples.lessons.trained import retrain_resnet
from examples.lessons.trained import saving
from examples.lessons.trained import train_and_export
from examples.lessons.trained import two_checkpoints
from examples.lessons.trained import two_models
from examples.lessons.trained import two_sessions
from tests.examples.lessons import running


@pytest.mark.slow
def test_frozen_weights_stay(tmp_path):
  results = running.run(freezing, tmp_path, 4)
  for way in freezing.WAYS:
    assert results[way] == 'network kept, head changed'
  assert results['restored_last_has_the_file']
  assert not results['initialized_last_has_the_file']
  # Whatever the way, the head is trained on the same features.
  assert results['largest_difference_of_losses'] < 1e-3


def test_a_head_on_a_frozen_graph(tmp_path):
  results = running.run(frozen_graph, tmp_path, 40)
  assert results['trainable_variables'] == 'D/fc/weights, D/fc/biases'
  assert results['frozen_output_is_kept'] and results['both_imports_agree']
  assert results['loss_last'] < results['loss_first']
  assert results['accuracy'] > .85  # Seeds 0 to 3: 0.935 to 0.955.
  assert results['perfect_loss_of_logits'] < .01
  # -log of exp(1) / (exp(1) + exp(0)).
  assert results['perfect_loss_of_probabilities'] == pytest.approx(
      np.log(1 + np.exp(-1)))


@pytest.mark.slow
def test_new_classifier(tmp_path):
  results = running.run(new_classifier, tmp_path, 1)
  # 53 convolutions: weights, gamma, beta, moving mean and variance.
  assert results['layers_restored'] == 5 * 53
  assert results['stage_1'] == 'network kept, head changed'
  assert results['stage_2'] == 'network changed, head changed'
  assert results['features'] == '[2048]'
  assert results['parameters'] == 23508032


def test_a_new_layer_is_missing_in_the_file_but_must_not_differ(tmp_path):
  old = slim.model_variable('old', [2])
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    path = tf.train.Saver([old]).save(session, str(tmp_path / 'model.ckpt'))
  new = slim.model_variable('new', [3])
  with tf.Session() as session:
    with pytest.raises(tf.errors.NotFoundError, match='new'):
      slim.assign_from_checkpoint_fn(path, [old, new])(session)
    slim.assign_from_checkpoint_fn(
        path, [old, new], ignore_missing_vars=True)(session)
    with pytest.raises(tf.errors.InvalidArgumentError, match='shape'):
      slim.assign_from_checkpoint_fn(
          path, {'old': new}, ignore_missing_vars=True)(session)


@pytest.mark.slow
def test_retrained_resnet(tmp_path):
  results = running.run(retrain_resnet, tmp_path, 2)
  # 53 convolutions: weights, gamma, beta, moving mean and variance.
  assert results['layers_restored'] == 5 * 53
  assert not results['logits_are_those_of_the_file']
  assert results['stage_1_keeps'] == 5 * 53
  assert results['stage_1_changes_logits']
  # The moving averages.
  assert results['stage_2_keeps'] == 2 * 53
  assert np.isfinite(results['loss'])


def test_end_points(tmp_path):
  results = running.run(end_points, tmp_path, 3)
  assert results['end_points'].startswith('conv1, pool1, conv2, pool2, Flatten')
  assert results['largest_difference_of_logits'] < 1e-4
  assert results['largest_difference_of_probabilities'] < 1e-5
  assert results['two_runs_are_equal']


def test_saving(tmp_path):
  results = running.run(saving, tmp_path, 10)
  assert results['kept'] == ['3', '4', '5']
  assert results['latest'] == 'model.ckpt-5'
  assert results['resumed_equals_straight']
  assert len(tf.train.get_checkpoint_state(
      str(tmp_path)).all_model_checkpoint_paths) == 3
  for ending in ('.data-00000-of-00001', '.index', '.meta'):
    assert (tmp_path / ('model.ckpt-5' + ending)).exists()


def test_what_a_saver_refuses_and_leaves_out(tmp_path):
  one = tf.get_variable('one', initializer=1.)
  saver = tf.train.Saver()
  assert saver.as_saver_def().max_to_keep == 5
  assert saver.as_saver_def().keep_checkpoint_every_n_hours == 10000
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    path = saver.save(
        session, str(tmp_path / 'model.ckpt'), write_meta_graph=False)
    assert not os.path.exists(path + '.meta')
    assert saver.last_checkpoints == [path]
    with pytest.raises(ValueError):
      saver.restore(session, str(tmp_path / 'none'))
    other = tf.get_variable('other', initializer=2.)
    with pytest.raises(tf.errors.NotFoundError):
      tf.train.Saver().restore(session, path)
    # A new name for a variable of the file.
    tf.train.Saver({'one': other}).restore(session, path)
    assert session.run([one, other]) == [1, 1]


def test_train_and_export(tmp_path):
  results = running.run(train_and_export, tmp_path, 30)
  assert results['accuracy'] > .5
  for form in ('frozen', 'saved'):
    assert results[form + '_largest_difference'] <= 1e-5
    assert results[form + '_classes_are_equal']


def test_two_checkpoints(tmp_path):
  results = running.run(two_checkpoints, tmp_path, 1)
  found = {way: results[way] for way in two_checkpoints.WAYS}
  assert found.pop('B_without_import_scope') == '5 and 5'
  assert len(found) == 4 and set(found.values()) == {'2 and 5'}
  assert not results['names_found_without_map']


def test_two_models(tmp_path):
  results = running.run(two_models, tmp_path, 30)
  assert results['overwriting_noticed'] == 'yes'
  assert results['a_accuracy'] != results['b_accuracy']
  assert results['ensemble_accuracy'] >= min(
      results['a_accuracy'], results['b_accuracy'])


def test_two_sessions(tmp_path):
  results = running.run(two_sessions, tmp_path, 20)
  assert results['a_tensor_of_the_other_graph_is_refused']
  assert results['a_sum_of_both_graphs_is_refused']
  assert results['largest_difference_with_threads'] < 1e-5
  assert results['accuracy_of_a'] != results['accuracy_of_b']
