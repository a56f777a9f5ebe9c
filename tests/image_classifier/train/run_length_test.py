"""Epochs and steps."""
import pytest

from image_classifier.train import run_length
from tests.image_classifier import training_runs as runs


def _of(num_examples=4000, batch=8, clones=1, **loop):
  options = runs.train('data', 'model', steps=None, loop=loop, data=dict(
      batch_size=batch), deployment=dict(num_clones=clones))
  return run_length.of(options, num_examples)


@pytest.mark.parametrize('loop, last_step', [
    (dict(), None),
    (dict(max_number_of_steps=7), 7),
    (dict(num_epochs=2), 1000),
    (dict(num_epochs=0.1), 50),
    (dict(num_epochs=1e-9), 1),
    (dict(num_epochs=2, max_number_of_steps=7), 7),
    (dict(num_epochs=0.01, max_number_of_steps=7), 5)])
def test_what_comes_first_ends_the_run(loop, last_step):
  assert _of(**loop).last_step == last_step


def test_an_epoch_is_one_of_all_clones():
  assert _of(num_epochs=1, clones=4).last_step == 125
  assert _of(num_epochs=1, clones=4).examples_per_step == 32
  assert _of(num_epochs=1, num_examples=17).last_step == 3, 'rounded up'


@pytest.mark.parametrize('loop, every', [
    (dict(), 0), (dict(eval_every=3), 3), (dict(eval_every_epochs=0.5), 250),
    (dict(eval_every_epochs=1e-6), 1)])
def test_evaluations_by_steps_or_epochs(loop, every):
  assert _of(**loop).eval_every == every


def test_steps_and_epochs_between_evaluations_exclude_each_other():
  with pytest.raises(ValueError, match=r'--eval_every=3 \(steps\) and '
                     '--eval_every_epochs=0.5 exclude each other: leave one'):
    _of(eval_every=3, eval_every_epochs=0.5)


def test_the_length_is_described():
  assert run_length.describe(_of(max_number_of_steps=250), 4000) == (
      'Ends at step 250, after 0.5 epochs.')
  assert 'give --max_number_of_steps or --num_epochs' in run_length.describe(
      _of(), 4000)


def test_schedules_see_the_last_step():
  options = runs.train('data', 'model', steps=None, loop=dict(num_epochs=2))
  loop = run_length.with_last_step(options, 12).loop
  assert (loop.max_number_of_steps, loop.num_epochs) == (12, None)
