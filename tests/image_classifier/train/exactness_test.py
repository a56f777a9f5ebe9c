"""An interrupted run ends as one that was not interrupted, to the last bit.

The cases cover optimizers with their slots, averages, schedules, clones,
dropout and augmentation.
"""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.train import session_config
from tests.image_classifier import training_runs as runs

pytestmark = pytest.mark.slow

_STEPS = 4
_MIDDLE = 2
# Small images make a small LeNet, which still has dropout.
_DATA = dict(seed=1, deterministic=True, shuffle_buffer=64, batch_size=4)
_DEPLOYMENT = dict(clone_on_cpu=True, cpu_threads=1)
_CASES = {
    'adadelta': dict(
        data=dict(cutmix_alpha=1.0, mixup_alpha=0.5),
        schedule=dict(learning_rate=1.0, learning_rate_decay_type='cosine')),
    'adagrad': dict(
        data=dict(randaugment_steps=1, random_erasing=0.5, color_jitter=0.4,
                  preprocessing_name='cifarnet'),
        model=dict(label_smoothing=0.1)),
    'adam': dict(
        deployment=dict(num_clones=2), model=dict(moving_average_decay=0.9),
        optimizer=dict(clip_gradient_norm=0.5)),
    'ftrl': dict(
        model=dict(loss='focal', class_weights='auto'),
        schedule=dict(learning_rate_decay_type='noisy_linear_cosine',
                      cosine_initial_variance=0.01),
        deployment=dict(fp16=True)),
    'rmsprop': dict(
        schedule=dict(warmup_epochs=0.01), data=dict(mixup_alpha=0.2),
        model=dict(moving_average_decay=0.99),
        optimizer=dict(clip_gradient_norm=1.0)),
}


def _options(digits, optimizer):
  changes = {part: dict(values) for part, values in _CASES[optimizer].items()}
  changes['optimizer'] = dict(
      changes.get('optimizer', {}), optimizer=optimizer)
  changes['data'] = dict(_DATA, **changes.get('data', {}))
  changes['deployment'] = dict(_DEPLOYMENT, **changes.get('deployment', {}))
  changes['model'] = dict(
      changes.get('model', {}), train_image_size=8)
  return runs.train(digits, 'unused', steps=_STEPS, **changes)


def _run(options, first_step, checkpoint):
  """Runs to the last step; returns (losses, variables at the end).

  A run from the start is saved in its middle; another starts there.
  """
  with tf.Graph().as_default():
    graph = runs.build(options, first_step)
    saver = tf.train.Saver()
    with tf.Session(config=session_config.session_config(
        options.deployment)) as session:
      session.run([tf.global_variables_initializer(), tf.tables_initializer()])
      if first_step:
        saver.restore(session, checkpoint)
      losses = []
      for step in range(first_step, _STEPS):
        if step == _MIDDLE and not first_step:
          saver.save(session, checkpoint)
        losses.append(session.run(graph.train_op))
      return losses, session.run({
          variable.op.name: variable for variable in tf.global_variables()})


@pytest.mark.parametrize('optimizer', sorted(_CASES))
def test_an_interruption_leaves_no_trace(digits, tmp_path, optimizer):
  options = _options(digits, optimizer)
  checkpoint = str(tmp_path / 'model.ckpt')
  losses, whole = _run(options, 0, checkpoint)
  rest, resumed = _run(options, _MIDDLE, checkpoint)
  assert len(set(losses)) == _STEPS and losses[_MIDDLE:] == rest
  assert sorted(whole) == sorted(resumed)
  for name in whole:
    np.testing.assert_array_equal(whole[name], resumed[name], err_msg=name)
