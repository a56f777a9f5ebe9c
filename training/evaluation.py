"""Runs of evaluation, from options to files."""
import contextlib
import itertools
import time

import numpy as np
import tensorflow.compat.v1 as tf

from training import batch_norm_statistics
from training import checkpoint_follower
from training import checkpoints
from training import errors
from training import eval_graph
from training import flags
from training import metric_report
from training import metrics
from training import output_files
from training import progress
from training import result_files

# Nobody asks what is wrong with a metric above this.
_LOW = 0.8
_DIAGNOSED_BATCHES = 2
# The statistics of a smaller batch say little.
_LEAST_DIAGNOSED_BATCH = 8


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
  _check(options)
  say = _be_silent if quiet else print
  path = options.evaluation.checkpoint_path
  if not options.following.eval_interval_secs:
    checkpoint = checkpoints.find(path)
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
    for checkpoint in checkpoint_follower.follow(
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
      checkpoint: the first to be evaluated; labels_offset=auto goes by it.
      quiet: whether to print nothing.

    Raises:
      ValueError: a name or size in the options does not fit.
    """
    self._options = options
    self._say = _be_silent if quiet else print
    self._quiet = quiet
    config = tf.ConfigProto(allow_soft_placement=True)
    # A training may use the same GPU.
    config.gpu_options.allow_growth = True
    with tf.Graph().as_default() as self._tf_graph:
      self._graph = eval_graph.build(options, checkpoint)
      self._variables = list(self._graph.variables_to_restore.values())
      self._saver = tf.train.Saver(self._graph.variables_to_restore)
      self._session = tf.Session(options.evaluation.master, config=config)
    self._statistics = batch_norm_statistics.of(self._variables)
    self._kind = (metrics.MultiLabelMetrics if self._graph.multi_label
                  else metrics.SingleLabelMetrics)
    # The network in training mode, made when it is first wanted.
    self._of_split = self._of_training = None

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
    self._restore(checkpoint)
    with errors.explained(self._options):
      return self._evaluate(checkpoint, checkpoints.step_of(checkpoint) or 0)

  def _evaluate(self, checkpoint, step):
    options = self._options
    if options.batch_norm.recalibrate_batch_norm:
      self._recalibrate(step)
    self._say('Evaluating %s on the %d examples of %s/%s%s.' % (
        checkpoint, self._graph.dataset.num_samples,
        options.data.dataset_name, options.data.dataset_split_name,
        _clones(self._graph.deployment)))
    classes = self._classes()
    sums = self._kind(len(classes))
    start = time.time()
    with result_files.ResultFiles(
        options.results, classes, self._graph.multi_label) as files:
      self._count(sums, files)
    seconds = time.time() - start
    results = sums.results()
    written = files.write(
        self._facts(checkpoint, step, sums), results, sums.classes())
    lines = metric_report.lines(results) + [''] + metric_report.table(
        sums.classes(), [name for _, name in classes]) + [
            ''] + written + [
                'Counted %d examples at step %d. That took %.1f s, %.0f '
                'images/s.' % (sums.examples, step, seconds,
                               sums.examples / seconds)]
    self._say('\n'.join(lines))
    if options.evaluation.eval_dir:
      _write_summaries(options.evaluation.eval_dir, results, step)
    if self._may_be_stale(results):
      self._diagnose()
    return results

  def _restore(self, checkpoint):
    """Loads the weights."""
    with _reading(checkpoint):
      checkpoints.check_fits(checkpoint, self._graph.variables_to_restore)
      self._saver.restore(self._session, checkpoint)
      averages = self._options.evaluation.moving_average_decay
      if averages is None and _has_averages(checkpoint):
        self._say('%s has moving averages of the weights as well; '
                  '--moving_average_decay=0.9999 (or any value) evaluates '
                  'them.' % checkpoint)

  def _classes(self):
    """Returns a list of (id in the dataset, name) of the network's classes."""
    names = self._graph.dataset.labels_to_names or {}
    ids = range(self._graph.labels_offset,
                self._graph.labels_offset + self._graph.num_classes)
    return [(i, names.get(i, str(i))) for i in ids]

  def _count(self, sums, files):
    """Adds up all batches, or as many as were asked for."""
    most = self._options.evaluation.max_num_batches
    step_size = (self._options.data.batch_size *
                 self._options.evaluation.num_clones)
    wanted = self._graph.dataset.num_samples
    wanted = min(wanted, most * step_size) if most else wanted
    self._session.run(self._start())
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
    if sums.examples != wanted:
      raise ValueError(
          'The files hold %d examples where %d were expected. Convert the data '
          'again, or remove files that do not belong there.' % (
              sums.examples, wanted))

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
    if not self._statistics:
      raise ValueError(
          '--recalibrate_batch_norm: %s has no batch normalisation; leave it '
          'out.' % self._options.evaluation.model_name)
    if self._of_training is None:
      with self._tf_graph.as_default():
        images = eval_graph.training_batch(
            self._options, self._graph, asked.recalibration_split)
      self._of_training = self._add_training_network(images)
    self._session.run(self._start())
    num_batches = asked.recalibrate_batch_norm
    with self._progress() as show:
      batch_norm_statistics.refresh(
          self._session, self._statistics, self._of_training, num_batches,
          lambda done: show(done, num_batches, 'batches for the statistics'))
    self._say('The moving statistics are the means of %d batches of %d of '
              '%s.' % (num_batches, self._options.data.batch_size,
                       asked.recalibration_split))
    if asked.recalibrated_checkpoint is not None:
      self._save(asked.recalibrated_checkpoint, step)

  def _save(self, prefix, step):
    """Writes a checkpoint of the weights as they are evaluated."""
    with self._tf_graph.as_default():
      global_step = tf.train.get_or_create_global_step()
      global_step.load(step, self._session)
      # Not noted as the directory's latest: a training may be going on there.
      tf.train.Saver(self._variables + [global_step]).save(
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
    try:
      moving, own = self._compare_statistics()
    except (ValueError, tf.errors.OpError) as error:
      # The evaluation is done; a network may not be built for training here.
      self._say('The statistics of batch normalisation could not be compared: '
                '%s' % str(error).splitlines()[0])
      return
    for line in batch_norm_statistics.diagnosis(
        name, moving.results()[name], own.results()[name], own.examples):
      self._say(line)

  def _compare_statistics(self):
    """Returns the first batches' metrics, by moving and by own statistics."""
    if self._of_split is None:
      self._of_split = self._add_training_network(self._graph.batch.images)
    tensors = [self._graph.batch.labels, self._graph.logits, self._of_split[0]]
    moving, own = [self._kind(self._graph.num_classes) for _ in range(2)]
    self._session.run(self._start())
    for _ in range(_DIAGNOSED_BATCHES):
      try:
        labels, logits, training_logits = self._session.run(tensors)
      except tf.errors.OutOfRangeError:
        break
      moving.add(logits, labels)
      own.add(training_logits, labels)
    return moving, own

  def _add_training_network(self, images):
    """Returns what `eval_graph.training_logits` does, ready to run."""
    with self._tf_graph.as_default():
      before = {variable.op.name for variable in tf.global_variables()}
      network = eval_graph.training_logits(self._options, self._graph, images)
      self._session.run(tf.variables_initializer([
          variable for variable in tf.global_variables()
          if variable.op.name not in before]))
    return network

  def _start(self):
    """Returns the op by which all streams of batches begin."""
    with self._tf_graph.as_default():
      return tf.tables_initializer()

  @contextlib.contextmanager
  def _progress(self):
    """Yields a function of (done, total, unit) that draws the bar."""
    meter = progress.Progress()
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

  def _facts(self, checkpoint, step, sums):
    """Returns what the file of results says of the run."""
    data, evaluation = self._options.data, self._options.evaluation
    return {
        'checkpoint': checkpoint, 'step': step,
        'model_name': evaluation.model_name,
        'dataset_name': data.dataset_name,
        'dataset_split_name': data.dataset_split_name,
        'examples': sums.examples,
        'moving_averages': evaluation.moving_average_decay is not None,
        'flags': flags.as_dict(self._options)}


def _check(options):
  """Checks what can be checked before the work begins."""
  following, batch_norm = options.following, options.batch_norm
  if not following.eval_interval_secs:
    for name in ('eval_timeout_secs', 'max_number_of_steps'):
      if getattr(following, name) is not None:
        raise ValueError('--%s is for following a training: pass '
                         '--eval_interval_secs too.' % name)
  elif batch_norm.recalibrated_checkpoint is not None:
    raise ValueError('--recalibrated_checkpoint is for one checkpoint: leave '
                     'out --eval_interval_secs.')
  saved = batch_norm.recalibrated_checkpoint
  if saved is not None and not batch_norm.recalibrate_batch_norm:
    raise ValueError('--recalibrated_checkpoint needs '
                     '--recalibrate_batch_norm=N, such as 100.')
  output_files.check(
      {'recalibrated_checkpoint': saved and saved + '.index'},
      options.results.overwrite)
  result_files.check(options.results)


def _clones(deployment):
  if deployment.num_clones == 1:
    return ''
  return ', on %d clones on %s' % (
      deployment.num_clones,
      'the CPU' if deployment.clone_on_cpu else 'a GPU each')


def _has_averages(checkpoint):
  return any(name.endswith('/ExponentialMovingAverage')
             for name in checkpoints.shapes_in(checkpoint))


@contextlib.contextmanager
def _reading(checkpoint):
  """Says in words that a checkpoint cannot be read."""
  try:
    yield
  except tf.errors.OpError as error:
    raise ValueError(
        'The checkpoint %s cannot be read; a part may be missing or cut off: '
        'copy it again, or take another. (%s)' % (
            checkpoint, error.message.strip().splitlines()[0]))


def _write_summaries(eval_dir, results, step):
  """Writes the metrics where TensorBoard finds them."""
  writer = tf.summary.FileWriter(eval_dir)
  writer.add_summary(tf.Summary(value=[
      tf.Summary.Value(tag='eval/' + name, simple_value=value)
      for name, value in results.items()]), step)
  writer.close()


def _be_silent(line):
  del line
