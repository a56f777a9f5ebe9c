"""Epochs and steps."""
import pytest

from image_classifier.train import run_length
from tests.image_classifier import training_runs as runs


def _length(num_examples=4000, batch=8, clones=1, warm_start=None, **loop):
  options = runs.train('data', 'model', steps=None, loop=loop, data=dict(
      batch_size=batch), deployment=dict(num_clones=clones),
                       warm_start=warm_start or {})
  return run_length.compute(options, num_examples)


@pytest.mark.parametrize('loop, last_step', [
    (dict(), None),
    (dict(max_number_of_steps=7), 7),
    (dict(num_epochs=2), 1000),
    (dict(num_epochs=0.1), 50),
    (dict(num_epochs=1e-9), 1),
    (dict(num_epochs=2, max_number_of_steps=7), 7),
    (dict(num_epochs=0.01, max_number_of_steps=7), 5)])
def test_the_earlier_end_counts(loop, last_step):
  assert _length(**loop).last_step == last_step


def test_an_epoch_is_one_of_all_clones():
  assert _length(num_epochs=1, clones=4).last_step == 125
  assert _length(num_epochs=1, clones=4).examples_per_step == 32
  assert _length(num_epochs=1, num_examples=17).last_step == 3, 'rounded up'


@pytest.mark.parametrize('loop, every', [
    (dict(), 0), (dict(eval_every=3), 3), (dict(eval_every_epochs=0.5), 250),
    (dict(eval_every_epochs=1e-6), 1)])
def test_evaluations_by_steps_or_epochs(loop, every):
  assert _length(**loop).eval_every == every


def test_steps_and_epochs_between_evaluations_exclude_each_other():
  with pytest.raises(ValueError, match=r'--eval_every=3 \(steps\) and '
                     '--eval_every_epochs=0.5 exclude each other: leave one'):
    _length(eval_every=3, eval_every_epochs=0.5)


@pytest.mark.parametrize('warm_start, head_steps', [
    (dict(head_epochs=2), 1000), (dict(head_epochs=0.1), 50),
    (dict(head_epochs=2, max_head_fraction=0.2), 400),
    (dict(head_epochs=0.1, max_head_fraction=0.2), 50),
    (dict(head_epochs=2, checkpoint_path=None), 0)])
def test_the_head_alone_takes_a_part_of_the_run(warm_start, head_steps):
  assert _length(num_epochs=4, warm_start=dict(
      dict(checkpoint_path='x'), **warm_start)).head_steps == head_steps


def test_the_head_alone_in_a_run_without_end():
  assert _length(warm_start=dict(
      checkpoint_path='x', head_epochs=2,
      max_head_fraction=0.2)).head_steps == 1000


def test_the_length_is_described():
  assert run_length.describe(_length(max_number_of_steps=250), 4000) == (
      'Ends at step 250, after 0.5 epochs.')
  assert 'give --max_number_of_steps or --num_epochs' in run_length.describe(
      _length(), 4000)
