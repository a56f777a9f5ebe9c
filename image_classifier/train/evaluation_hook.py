"""Evaluates a training on its way, and keeps the best checkpoint."""
import time

import tensorflow.compat.v1 as tf

from image_classifier.evaluate import evaluation
from image_classifier.runs import run_log
from image_classifier.train import evaluation_schedule
from image_classifier.train import hooks

_PRINTED = ('Accuracy', 'Loss')


class EvaluationHook(hooks.ReadingsHook):
  """Saves and evaluates every n steps and at the end; keeps the best.

  Args:
    readings: the `hooks.Readings`.
    run: the `resolved_run.Run`, with a plan.
    saver_hook: the `checkpoint_saver.CheckpointHook`.
    progress_hook: the `hooks.ProgressHook`.
    stop_hook: the `hooks.StopOnSignalHook`; a run that was told to stop does
      so without a last evaluation.
    evaluate: function of a checkpoint's prefix that returns a dict of
      metrics; by default the evaluation that the run's flags ask for.
  """

  def __init__(self, readings, run, saver_hook, progress_hook, stop_hook,
               evaluate=None):
    super().__init__(readings)
    self._run = run
    self._saver_hook = saver_hook
    self._progress_hook = progress_hook
    self._stop_hook = stop_hook
    self._evaluate = evaluate or self._evaluate_checkpoint
    self._train_dir = run.options.loop.train_dir
    self._every = run.length.eval_every
    self._step = self._evaluated_step = None

  def after_create_session(self, session, coord):
    del coord
    if self._step is not None:
      # A run that lost a parameter server goes back.
      self._step = min(
          self._step, int(session.run(tf.train.get_global_step())))
      return
    first_step = self._run.start.step
    rows = run_log.evaluations(run_log.read(self._train_dir))
    # Where the run was killed while it was evaluating.
    if first_step and first_step % self._every == 0 and (
        first_step not in [row['step'] for row in rows]):
      self._evaluate_at(session, first_step)

  def after_run(self, run_context, run_values):
    before, self._step = self._step, int(run_values.results.step)
    if before is None:
      before = self._run.start.step
    # Other workers make steps too: this one may miss the exact multiple.
    if self._step // self._every == before // self._every:
      return
    self._evaluate_at(run_context.session, self._step)
    best = self._run.best
    if best.is_exhausted(self._run.options.loop.early_stopping_patience):
      self._progress_hook.line(
          'Stopping early: no gain in %d evaluations since step %d.' % (
              best.without_gain, best.step))
      run_context.request_stop()

  def end(self, session):
    if self._step not in (None, self._evaluated_step) and (
        self._stop_hook.signal_number is None):
      self._evaluate_at(session, self._step)

  def _evaluate_checkpoint(self, prefix):
    return evaluation.evaluate(
        evaluation_schedule.evaluate_options(self._run, prefix), quiet=True)

  def _evaluate_at(self, session, step):
    start = time.time()
    prefix = self._saver_hook.save(session, step)
    metrics = self._evaluate(prefix)
    best, split = self._run.best, self._run.plan.split
    is_best = best.offer(step, prefix, metrics)
    seconds = time.time() - start
    run_log.append(self._train_dir, {
        'step': step, 'split': split, 'evaluation': metrics,
        'seconds': round(seconds, 3)})
    self._progress_hook.line('step %d  %s: %s%s' % (
        step, split,
        '  '.join('%s %.4f' % (name, metrics[name]) for name in metrics
                  if name in _PRINTED + (best.metric,)),
        '  (best %s so far)' % best.metric if is_best else ''))
    self._progress_hook.exclude(seconds)
    self._evaluated_step = step
