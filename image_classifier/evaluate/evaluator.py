"""The evaluation of checkpoints of one network."""
import contextlib
import itertools
import os
import time

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.checkpoints import checkpoint_saver
from image_classifier.checkpoints import foreign_names
from image_classifier.evaluate import eval_graph
from image_classifier.evaluate import gallery
from image_classifier.evaluate import metrics
from image_classifier.evaluate import recalibrate_batch_norm
from image_classifier.evaluate import reported_loss
from image_classifier.evaluate import result_files
from image_classifier.evaluate import retrieval
from image_classifier.evaluate import task_metrics
from image_classifier.graphs import errors
from image_classifier.losses import classification as losses
from image_classifier.losses import task_heads
from image_classifier.runs import record_defaults
from preprocessing import preprocessing_factory
from slim_common import flags
from slim_common import progress

# A main metric above this needs no diagnosis.
_LOW = 0.8
# The statistics of a smaller batch are too noisy.
_MIN_DIAGNOSED_BATCH = 8


class Evaluator(contextlib.AbstractContextManager):
  """Evaluates checkpoints of one network, with one graph and one session.

  A context manager, which closes the session.

  Args:
    options: an `options.Evaluate`.
    checkpoint: prefix of the first checkpoint, whose run.json completes the
      options and which decides labels_offset=auto and the loss.
    quiet: whether to print nothing.
    exported: what computes the logits instead of a checkpoint, whose options
      are complete: an object with a method `logits` of preprocessed images,
      float32 [batch, height, width, channels], a dict `facts` for the results
      file, and an int `step`.

  Raises:
    ValueError: a name or size in the options does not fit.
  """

  def __init__(self, options, checkpoint, quiet=False, exported=None):
    self._quiet, self._exported = quiet, exported
    options, lines = record_defaults.apply(options, checkpoint)
    for line in lines:
      self._say(line)
    if not options.data.dataset_dir:
      raise ValueError(
          '--dataset_dir is required: no run.json of a training beside %s '
          'names a directory that exists.' % checkpoint)
    self._options = options
    with tf.Graph().as_default():
      self._graph = eval_graph.build(
          options, checkpoint, with_network=exported is None)
      self._loss = reported_loss.choose(
          options.evaluation, checkpoint, self._graph.multi_label)
      self._gallery = gallery.GalleryReader(options, self._graph) if (
          options.evaluation.embedding_size) else None
      self._shown = result_files.shown_tensors(
          options.results, self._graph.batch.images, self._graph.end_points)
      self._saver, self._restored = None, set()
      self._session = self._connect(options.evaluation.master)
    self._statistics = recalibrate_batch_norm.MovingStatistics(
        options, self._graph, self._session)

  @property
  def num_classes(self):
    """The number of classes of the dataset, without those of the offset."""
    return self._graph.num_classes

  def _connect(self, master):
    """Returns a session of the default graph."""
    config = tf.ConfigProto(allow_soft_placement=True)
    # A training may use the same GPU.
    config.gpu_options.allow_growth = True
    if master:
      # Without a server there, it waits for one.
      self._say('Connecting to %s.' % master)
    return tf.Session(master, config=config)

  def __exit__(self, *exception):
    self._session.close()

  def _say(self, line):
    if not self._quiet:
      print(line)

  def evaluate(self, checkpoint):
    """Returns the metrics of the checkpoint with a prefix, a dict of floats.

    Raises:
      ValueError: the data or the checkpoint do not fit.
    """
    step = self._restore(checkpoint)
    with errors.explained(self._options):
      if self._options.batch_norm.recalibrate_batch_norm:
        self._recalibrate(step)
      return self._evaluate(checkpoint, step)

  def _evaluate(self, checkpoint, step):
    options = self._options
    self._say('Evaluating %s on the %d examples of %s/%s%s.' % (
        checkpoint, self._graph.dataset.num_samples,
        options.data.dataset_name, options.data.dataset_split_name,
        _describe_clones(self._graph.deployment)))
    for line in losses.describe(self._loss):
      self._say(line)
    classes = self._classes()
    sums = self._new_metrics(self._loss)
    start = time.time()
    with result_files.ResultFiles(
        options.results, classes, self._loss,
        preprocessing_factory.describe(
            options.data.preprocessing_name or
            options.evaluation.model_name)) as files:
      skipped = self._count(sums, files)
    seconds = time.time() - start
    results = sums.results()
    written = files.write(
        self._facts(checkpoint, step, sums, skipped), results, sums.classes())
    self._say('\n'.join(
        result_files.metric_lines(results) + [''] + result_files.class_table(
            sums.classes(), [name for _, name in classes]) + [''] + written + [
                'Counted %d examples at step %d%s. That took %.1f s, %.0f '
                'images/s.' % (
                    sums.examples, step, ', skipped %d' % skipped
                    if skipped else '', seconds, sums.examples / seconds)]))
    if options.evaluation.eval_dir:
      _write_summaries(options.evaluation.eval_dir, results, step, checkpoint)
    if self._may_be_stale(results, sums.main_metric):
      self._diagnose()
    return results

  def _new_metrics(self, *loss):
    """Returns metrics to add the batches to; computes a gallery if needed."""
    graph = self._graph
    if self._gallery:
      return retrieval.RetrievalMetrics(
          self._gallery.read(self._session, self._exported and (
              self._exported.logits)), graph.num_classes, self._gallery.is_same)
    if graph.heads:
      return task_metrics.TaskMetrics(graph.heads)
    return metrics.class_for(graph.multi_label)(graph.num_classes, *loss)

  def _restore(self, checkpoint):
    """Loads the weights, if they are not loaded; returns their step."""
    if self._exported:
      return self._exported.step
    with _reading_errors_explained(checkpoint):
      self._load(checkpoint)
      averages = self._options.evaluation.moving_average_decay
      is_asked = 'moving_average_decay' in flags.given(self._options)
      if averages is None and not is_asked and _has_averages(checkpoint):
        self._say('%s also has moving averages of the weights; '
                  '--moving_average_decay=0.9999 (or any value) evaluates '
                  'them.' % checkpoint)
      return checkpoint_reader.step_of(checkpoint) or 0

  def _load(self, checkpoint):
    """Loads the weights; statistics to recalibrate may be missing."""
    variables = self._graph.variables_to_restore
    found = checkpoint_reader.check_fits(
        checkpoint, variables, self._options.evaluation.checkpoint_scope,
        not self._options.batch_norm.recalibrate_batch_norm)
    if set(found) != self._restored:
      with self._session.graph.as_default():
        self._saver = tf.train.Saver(found)
      self._restored = set(found)
    self._session.run([
        variable.initializer for name, variable in variables.items()
        if foreign_names.is_statistic(name)])
    self._saver.restore(self._session, checkpoint)

  def _classes(self):
    """Returns a list of (id in the dataset, name) of the network's classes."""
    if self._graph.heads:
      return list(enumerate(task_heads.names(self._graph.heads)))
    names = self._graph.dataset.labels_to_names or {}
    ids = range(self._graph.labels_offset,
                self._graph.labels_offset + self._graph.num_classes)
    return [(i, names.get(i, str(i))) for i in ids]

  def _count(self, sums, files):
    """Adds the batches to metrics and files; returns how many were skipped."""
    max_batches = self._options.evaluation.max_num_batches
    step_size = (self._options.data.batch_size *
                 self._options.evaluation.num_clones)
    expected = self._graph.dataset.num_samples
    if max_batches:
      expected = min(expected, max_batches * step_size)
    eval_graph.restart_input(self._session)
    with self._progress() as show:
      # Without a limit the end of the files decides, so that surplus records
      # are noticed as well as missing ones.
      for _ in range(max_batches) if max_batches else itertools.count():
        batch = self._next_batch()
        if batch is None:
          break
        names, labels, logits, shown = batch
        predicted = sums.add(logits, labels)
        files.add(names, *sums.shown(labels, logits), predicted, shown)
        show(sums.examples, expected, 'examples')
    self._check_count(sums.examples, expected)
    return expected - sums.examples

  def _check_count(self, counted, expected):
    """Checks that every example was counted, or cannot be read."""
    is_complete = counted == expected
    if counted < expected and self._options.data.bad_records_allowed:
      # The pipeline has checked that no more are skipped than allowed.
      is_complete = eval_graph.count_records(self._graph) == (
          self._graph.dataset.num_samples)
    if not is_complete:
      raise ValueError(
          'The files hold %d examples where %d were expected. Convert the data '
          'again, or remove files that do not belong there.' % (
              counted, expected))
    if not counted:
      raise ValueError('None of the %d examples can be read.' % expected)

  def _next_batch(self):
    """Returns the next batch; None at the end.

    A batch is (names, labels, logits, values for the result files).
    """
    batch = self._graph.batch
    outputs = batch.images if self._exported else self._graph.logits
    try:
      names, labels, logits, shown = self._session.run(
          [batch.names, batch.labels, outputs, self._shown])
    except tf.errors.OutOfRangeError:
      return None
    if self._exported:
      logits = self._exported.logits(logits)
    wrong = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(wrong):
      raise ValueError(
          'The network computes values that are not finite, for %s first: the '
          'training of this checkpoint diverged. Take an earlier one.' %
          names[wrong[0]].decode('utf-8', 'replace'))
    return names, labels, logits, shown

  def _recalibrate(self, step):
    """Recomputes the moving statistics of batch normalization."""
    asked = self._options.batch_norm
    num_batches = asked.recalibrate_batch_norm
    with self._progress() as show:
      self._statistics.recalibrate(
          lambda done: show(done, num_batches, 'batches for the statistics'))
    self._say('The moving statistics are the means of %d batches of %d of '
              '%s.' % (num_batches, self._options.data.batch_size,
                       asked.recalibration_split))
    if asked.recalibrated_checkpoint is not None:
      self._save(asked.recalibrated_checkpoint, step)

  def _save(self, prefix, step):
    """Writes a checkpoint of the weights as they are evaluated."""
    with self._session.graph.as_default():
      global_step = tf.train.get_or_create_global_step()
      global_step.load(step, self._session)
      variables = list(self._graph.variables_to_restore.values())
      # Not recorded as the directory's latest: a training may be running there.
      tf.train.Saver(variables + [global_step]).save(
          self._session, prefix, write_meta_graph=False, write_state=False)
    self._say('Checkpoint: %s' % prefix)

  def _may_be_stale(self, results, main_metric):
    """Returns whether the moving statistics may not fit the weights."""
    asked = self._options.batch_norm
    return (asked.diagnose and not asked.recalibrate_batch_norm and
            not self._quiet and bool(self._statistics) and
            self._options.data.batch_size >= _MIN_DIAGNOSED_BATCH and
            # The network in training mode has no gallery.
            not self._gallery and results[main_metric] < _LOW)

  def _diagnose(self):
    """Reports moving statistics that do not fit the weights."""
    moving, batch = [self._new_metrics() for _ in range(2)]
    name = moving.main_metric
    try:
      self._statistics.compare(moving, batch)
    except (ValueError, tf.errors.OpError) as error:
      # The evaluation is complete; it does not need the training graph.
      self._say('The statistics of batch normalization could not be compared: '
                '%s' % str(error).splitlines()[0])
      return
    for line in recalibrate_batch_norm.diagnose(
        name, moving.results()[name], batch.results()[name], batch.examples):
      self._say(line)

  @contextlib.contextmanager
  def _progress(self):
    """Yields a function of (done, total, unit) that shows the progress."""
    meter = progress.StatusLine()
    start = time.time()

    def show(done, total, unit):
      if not self._quiet:
        left = (time.time() - start) / done * (total - done)
        meter.show(done, total, '%d of %d %s  %s left' % (
            done, total, unit, progress.clock(left)))

    try:
      yield show
    finally:
      meter.clear()

  def _facts(self, checkpoint, step, sums, skipped):
    """Returns the description of the evaluation for the results file."""
    data, evaluation = self._options.data, self._options.evaluation
    return dict({
        'checkpoint': checkpoint, 'step': step,
        'model_name': evaluation.model_name,
        'dataset_name': data.dataset_name,
        'dataset_split_name': data.dataset_split_name,
        'examples': sums.examples, 'passed_over': skipped,
        'loss': self._loss.kind,
        'moving_averages': evaluation.moving_average_decay is not None,
        'flags': flags.as_dict(self._options)},
                **(self._exported.facts if self._exported else {}))


def _describe_clones(deployment):
  if deployment.num_clones == 1:
    return ''
  return ', on %d clones on %s' % (
      deployment.num_clones,
      'the CPU' if deployment.clone_on_cpu else 'a GPU each')


def _has_averages(checkpoint):
  return any(name.endswith('/ExponentialMovingAverage')
             for name in checkpoint_reader.shapes_in(checkpoint))


@contextlib.contextmanager
def _reading_errors_explained(checkpoint):
  """Turns an error of reading a checkpoint into a ValueError."""
  try:
    yield
  # TensorFlow 2 raises Python's exceptions for some files that are cut off.
  except (tf.errors.OpError, IndexError, RuntimeError) as error:
    raise ValueError(
        'The checkpoint %s cannot be read; a part may be missing or cut off: '
        'copy it again, or take another. (%s)' % (
            checkpoint, checkpoint_saver.reason(error)))


def _write_summaries(eval_dir, results, step, checkpoint):
  """Writes the metrics as summaries for TensorBoard."""
  # Without the suffix, two evaluations in one second would share a file.
  writer = tf.summary.FileWriter(
      eval_dir, filename_suffix='.' + os.path.basename(checkpoint))
  writer.add_summary(tf.Summary(value=[
      tf.Summary.Value(tag='eval/' + name, simple_value=value)
      for name, value in results.items()]), step)
  writer.close()
