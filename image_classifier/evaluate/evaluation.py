"""Runs of evaluation, from options to files."""
import contextlib
import itertools
import os
import time

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.evaluate import eval_graph
from image_classifier.evaluate import evaluation_checks
from image_classifier.evaluate import follow_checkpoints
from image_classifier.evaluate import metric_report
from image_classifier.evaluate import metrics
from image_classifier.evaluate import recalibrate_batch_norm
from image_classifier.evaluate import reported_loss
from image_classifier.evaluate import result_files
from image_classifier.graphs import errors
from image_classifier.losses import classification as losses
from slim_common import flags
from slim_common import progress

# Nobody asks what is wrong with a metric above this.
_LOW = 0.8
# The statistics of a smaller batch say little.
_LEAST_DIAGNOSED_BATCH = 8
# TensorFlow 2 raises Python's own for some files that are cut off.
_READING_ERRORS = (tf.errors.OpError, IndexError, RuntimeError)


def evaluate(options, quiet=False):
  """Evaluates a checkpoint on every example of a split, each once.

  It has a graph and a session of its own, so that it runs beside a training.
  Prints the metrics, writes them as summaries to eval_dir ('' for none), and
  writes the files of results that were asked for.

  Args:
    options: an `options.Evaluate`. With eval_interval_secs all checkpoints of
      a training are evaluated, and the files of results are the last one's.
    quiet: whether to print nothing.

  Returns:
    A dict of the metrics, floats: 'Accuracy', 'Recall_5', 'Loss' and what
    else `results` of the class in metrics.py gives that fits the dataset.

  Raises:
    ValueError: the options, the data or the checkpoint do not fit, or a file
      of results exists.
  """
  evaluation_checks.check(options)
  say = _be_silent if quiet else print
  path = options.evaluation.checkpoint_path
  if not options.following.eval_interval_secs:
    checkpoint = checkpoint_reader.find(path)
    with Evaluator(options, checkpoint, quiet) as evaluator:
      return evaluator.evaluate(checkpoint)
  results = _follow(path, options, quiet, say)
  if results is None:
    raise ValueError('There was no checkpoint in %s to evaluate.' % path)
  return results


def _follow(train_dir, options, quiet, say):
  """Returns the metrics of the last checkpoint of a training, or None."""
  evaluator = results = None
  with contextlib.ExitStack() as stack:
    for checkpoint in follow_checkpoints.follow(
        train_dir, options.following, say):
      try:
        evaluator = evaluator or stack.enter_context(
            Evaluator(options, checkpoint, quiet))
        results = evaluator.evaluate(checkpoint)
      except ValueError:
        if tf.train.checkpoint_exists(checkpoint):
          raise
        say('%s was removed before it could be evaluated.' % checkpoint)
  return results


class Evaluator(contextlib.AbstractContextManager):
  """Evaluates checkpoints of one network, with one graph and one session.

  A context manager, which closes the session.
  """

  def __init__(self, options, checkpoint, quiet=False):
    """Builds the graph.

    Args:
      options: an `options.Evaluate`.
      checkpoint: the first to be evaluated; labels_offset=auto and the loss go
        by it.
      quiet: whether to print nothing.

    Raises:
      ValueError: a name or size in the options does not fit.
    """
    self._options = options
    self._say = _be_silent if quiet else print
    self._quiet = quiet
    with tf.Graph().as_default():
      self._graph = eval_graph.build(options, checkpoint)
      self._loss = reported_loss.choose(
          options.evaluation, checkpoint, self._graph.multi_label)
      self._saver = tf.train.Saver(self._graph.variables_to_restore)
      self._session = _connect(options.evaluation.master, self._say)
    self._statistics = recalibrate_batch_norm.MovingStatistics(
        options, self._graph, self._session)
    self._kind = (metrics.MultiLabelMetrics if self._graph.multi_label
                  else metrics.SingleLabelMetrics)

  def __exit__(self, *exception):
    self._session.close()

  def evaluate(self, checkpoint):
    """Evaluates a checkpoint.

    Args:
      checkpoint: its prefix.

    Returns:
      A dict of the metrics, floats.

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
        _clones(self._graph.deployment)))
    for line in losses.describe(self._loss):
      self._say(line)
    classes = self._classes()
    sums = self._kind(len(classes), self._loss)
    start = time.time()
    with result_files.ResultFiles(
        options.results, classes, self._loss) as files:
      passed_over = self._count(sums, files)
    seconds = time.time() - start
    results = sums.results()
    written = files.write(
        self._facts(checkpoint, step, sums, passed_over), results,
        sums.classes())
    lines = metric_report.lines(results) + [''] + metric_report.table(
        sums.classes(), [name for _, name in classes]) + [
            ''] + written + [
                'Counted %d examples at step %d%s. That took %.1f s, %.0f '
                'images/s.' % (
                    sums.examples, step, ', passed over %d' % passed_over
                    if passed_over else '', seconds, sums.examples / seconds)]
    self._say('\n'.join(lines))
    if options.evaluation.eval_dir:
      _write_summaries(
          options.evaluation.eval_dir, results, step, checkpoint)
    if self._may_be_stale(results):
      self._diagnose()
    return results

  def _restore(self, checkpoint):
    """Loads the weights and returns their step."""
    for line in evaluation_checks.differences(
        self._options, checkpoint, int(self._graph.batch.images.shape[1])):
      self._say(line)
    with _reading(checkpoint):
      checkpoint_reader.check_fits(checkpoint, self._graph.variables_to_restore)
      self._saver.restore(self._session, checkpoint)
      averages = self._options.evaluation.moving_average_decay
      if averages is None and _has_averages(checkpoint):
        self._say('%s has moving averages of the weights as well; '
                  '--moving_average_decay=0.9999 (or any value) evaluates '
                  'them.' % checkpoint)
      return checkpoint_reader.step_of(checkpoint) or 0

  def _classes(self):
    """Returns a list of (id in the dataset, name) of the network's classes."""
    names = self._graph.dataset.labels_to_names or {}
    ids = range(self._graph.labels_offset,
                self._graph.labels_offset + self._graph.num_classes)
    return [(i, names.get(i, str(i))) for i in ids]

  def _count(self, sums, files):
    """Adds up all batches, or as many as were asked for.

    Returns:
      The number of examples passed over because they cannot be read.
    """
    most = self._options.evaluation.max_num_batches
    step_size = (self._options.data.batch_size *
                 self._options.evaluation.num_clones)
    wanted = self._graph.dataset.num_samples
    wanted = min(wanted, most * step_size) if most else wanted
    eval_graph.start(self._session)
    with self._progress() as show:
      # Without a limit the end of the files decides, so that records too many
      # are noticed as well as records too few.
      for _ in range(most) if most else itertools.count():
        batch = self._next_batch()
        if batch is None:
          break
        names, labels, logits = batch
        files.add(names, labels, logits, sums.add(logits, labels))
        show(sums.examples, wanted, 'examples')
    self._check_count(sums.examples, wanted)
    return wanted - sums.examples

  def _check_count(self, counted, wanted):
    """Checks that every example was counted, or cannot be read."""
    is_whole = counted == wanted
    if counted < wanted and self._options.data.bad_records_allowed:
      # The pipeline has seen to it that they are no more than allowed.
      is_whole = eval_graph.count_records(self._graph) == (
          self._graph.dataset.num_samples)
    if not is_whole:
      raise ValueError(
          'The files hold %d examples where %d were expected. Convert the data '
          'again, or remove files that do not belong there.' % (
              counted, wanted))
    if not counted:
      raise ValueError('None of the %d examples can be read.' % wanted)

  def _next_batch(self):
    """Returns (names, labels, logits) of the next batch; None at the end."""
    batch = self._graph.batch
    try:
      names, labels, logits = self._session.run(
          [batch.names, batch.labels, self._graph.logits])
    except tf.errors.OutOfRangeError:
      return None
    wrong = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(wrong):
      raise ValueError(
          'The network gives numbers that are not finite, for %s first: the '
          'checkpoint is of a training that diverged. Take an earlier one.' %
          names[wrong[0]].decode('utf-8', 'replace'))
    return names, labels, logits

  def _recalibrate(self, step):
    """Computes the moving statistics of batch normalisation anew."""
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
      # Not noted as the directory's latest: a training may be going on there.
      tf.train.Saver(variables + [global_step]).save(
          self._session, prefix, write_meta_graph=False, write_state=False)
    self._say('Checkpoint: %s' % prefix)

  def _may_be_stale(self, results):
    """Whether to look for moving statistics that do not fit the weights."""
    asked = self._options.batch_norm
    return (asked.diagnose and not asked.recalibrate_batch_norm and
            not self._quiet and bool(self._statistics) and
            self._options.data.batch_size >= _LEAST_DIAGNOSED_BATCH and
            results[self._kind.main_metric] < _LOW)

  def _diagnose(self):
    """Says so where the moving statistics are what is wrong."""
    name = self._kind.main_metric
    moving, own = [self._kind(self._graph.num_classes) for _ in range(2)]
    try:
      self._statistics.compare(moving, own)
    except (ValueError, tf.errors.OpError) as error:
      # The evaluation is done; a network may not be built for training here.
      self._say('The statistics of batch normalisation could not be compared: '
                '%s' % str(error).splitlines()[0])
      return
    for line in recalibrate_batch_norm.diagnosis(
        name, moving.results()[name], own.results()[name], own.examples):
      self._say(line)

  @contextlib.contextmanager
  def _progress(self):
    """Yields a function of (done, total, unit) that draws the bar."""
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

  def _facts(self, checkpoint, step, sums, passed_over):
    """Returns what the file of results says of the run."""
    data, evaluation = self._options.data, self._options.evaluation
    return {
        'checkpoint': checkpoint, 'step': step,
        'model_name': evaluation.model_name,
        'dataset_name': data.dataset_name,
        'dataset_split_name': data.dataset_split_name,
        'examples': sums.examples, 'passed_over': passed_over,
        'loss': self._loss.kind,
        'moving_averages': evaluation.moving_average_decay is not None,
        'flags': flags.as_dict(self._options)}


def _connect(master, say):
  """Returns a session of the default graph."""
  config = tf.ConfigProto(allow_soft_placement=True)
  # A training may use the same GPU.
  config.gpu_options.allow_growth = True
  if master:
    # Where there is no server, it waits for one.
    say('Connecting to %s.' % master)
  return tf.Session(master, config=config)


def _clones(deployment):
  if deployment.num_clones == 1:
    return ''
  return ', on %d clones on %s' % (
      deployment.num_clones,
      'the CPU' if deployment.clone_on_cpu else 'a GPU each')


def _has_averages(checkpoint):
  return any(name.endswith('/ExponentialMovingAverage')
             for name in checkpoint_reader.shapes_in(checkpoint))


@contextlib.contextmanager
def _reading(checkpoint):
  """Says in words that a checkpoint cannot be read."""
  try:
    yield
  except _READING_ERRORS as error:
    text = getattr(error, 'message', None) or str(error)
    raise ValueError(
        'The checkpoint %s cannot be read; a part may be missing or cut off: '
        'copy it again, or take another. (%s)' % (
            checkpoint, text.strip().split('\n')[0]))


def _write_summaries(eval_dir, results, step, checkpoint):
  """Writes the metrics where TensorBoard finds them."""
  # Without the name, two evaluations in one second had one file.
  writer = tf.summary.FileWriter(
      eval_dir, filename_suffix='.' + os.path.basename(checkpoint))
  writer.add_summary(tf.Summary(value=[
      tf.Summary.Value(tag='eval/' + name, simple_value=value)
      for name, value in results.items()]), step)
  writer.close()


def _be_silent(line):
  del line
