"""Runs of training and evaluation, from options to files."""
import itertools
import os
import signal

import tensorflow.compat.v1 as tf

from training import checkpoints
from training import eval_graph
from training import hooks
from training import learning_rate as learning_rates
from training import metrics
from training import plots
from training import progress
from training import train_graph
from training import warm_start


def train(options):
  """Trains a network, or goes on with a training that was interrupted.

  Args:
    options: an `options.Train`.

  Returns:
    The exit status of the program: 0, or 128 + the signal that ended the run.

  Raises:
    ValueError: the options, the data or the checkpoint do not fit, or the loss
      is not finite.
  """
  train_dir = options.loop.train_dir
  last_step = options.loop.max_number_of_steps
  resumed = tf.train.latest_checkpoint(train_dir)
  first_step = checkpoints.step_of(resumed) if resumed else 0
  if last_step is not None and first_step >= last_step:
    print('Nothing to do: %s is at step %d of %d.' % (
        train_dir, first_step, last_step))
    return 0
  with tf.Graph().as_default(), hooks.StopOnSignalHook() as stop:
    graph = train_graph.build(options)
    scaffold = _scaffold(options, graph, resumed)
    _print_banner(options, graph.facts, resumed)
    tf.gfile.MakeDirs(train_dir)
    _run(options, graph, scaffold, stop)
  saved = tf.train.latest_checkpoint(train_dir)
  if stop.signal_number is not None:
    print('Stopped by %s. Saved %s; the same command goes on from there.' % (
        signal.Signals(stop.signal_number).name, saved))
    return 128 + stop.signal_number
  print('Finished. Saved %s.' % saved)
  _draw_learning_curve(train_dir)
  return 0


def evaluate(options):
  """Evaluates a checkpoint on every example of a split, each once.

  Prints the metrics, and writes them as summaries to eval_dir.

  Args:
    options: an `options.Evaluate`.

  Returns:
    A dict of the metrics, 'Accuracy' and 'Recall_5', as floats.

  Raises:
    ValueError: the options, the data or the checkpoint do not fit.
  """
  checkpoint = checkpoints.find(options.evaluation.checkpoint_path)
  with tf.Graph().as_default():
    graph = eval_graph.build(options)
    checkpoints.check_fits(checkpoint, graph.variables_to_restore)
    saver = tf.train.Saver(graph.variables_to_restore)
    print('Evaluating %s on the %d examples of %s/%s.' % (
        checkpoint, graph.num_examples, options.data.dataset_name,
        options.data.dataset_split_name))
    config = tf.ConfigProto(allow_soft_placement=True)
    with tf.Session(options.evaluation.master, config=config) as session:
      session.run(tf.tables_initializer())
      saver.restore(session, checkpoint)
      counts = _count(options, graph, session)
  shares = metrics.shares(counts)
  for name, value in shares.items():
    print('eval/%s[%.6g]' % (name, value))
  step = checkpoints.step_of(checkpoint) or 0
  print('Counted %d examples at step %d.' % (counts.examples, step))
  _write_metrics(options.evaluation.eval_dir, shares, step)
  return shares


def _count(options, graph, session):
  """Sums the counts of all batches, or of as many as were asked for."""
  most = options.evaluation.max_num_batches
  batches = -(-graph.num_examples // options.data.batch_size)
  batches = min(batches, most) if most else batches
  meter = progress.Progress()
  total = metrics.Counts(0, 0, 0)
  # Without a limit the end of the files decides, so that records too many are
  # noticed as well as records too few.
  for number in range(1, most + 1) if most else itertools.count(1):
    try:
      counts = session.run(graph.counts)
    except tf.errors.OutOfRangeError:
      break
    total = metrics.Counts(*[int(a + b) for a, b in zip(total, counts)])
    meter.show(number, batches, 'batch %d of %d' % (number, batches))
  meter.clear()
  wanted = min(graph.num_examples, batches * options.data.batch_size)
  if total.examples != wanted:
    raise ValueError(
        'The files hold %d examples where %d were expected. Convert the data '
        'again, or remove files that do not belong there.' % (
            total.examples, wanted))
  return total


def _write_metrics(eval_dir, shares, step):
  """Writes the metrics where TensorBoard finds them."""
  writer = tf.summary.FileWriter(eval_dir)
  writer.add_summary(tf.Summary(value=[
      tf.Summary.Value(tag='eval/' + name, simple_value=value)
      for name, value in shares.items()]), step)
  writer.close()


def _scaffold(options, graph, resumed):
  """Decides what the run starts from (see warm_start.py)."""
  saver = tf.train.Saver(
      max_to_keep=options.loop.max_checkpoints_to_keep or None)
  tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
  init_fn = None
  if options.warm_start.checkpoint_path and resumed:
    print('--checkpoint_path is ignored: %s holds the checkpoint %s to go on '
          'from.' % (options.loop.train_dir, resumed))
  elif options.warm_start.checkpoint_path:
    plan = warm_start.plan(options.warm_start)
    print('\n'.join(warm_start.describe(plan)))
    init_fn = _loader(plan, graph.average)
  return tf.train.Scaffold(
      saver=saver, init_fn=init_fn, summary_op=graph.summary_op)


def _loader(plan, average):
  """Returns a Scaffold's init_fn that loads the variables of a warm start."""
  restorer = tf.train.Saver(plan.loaded)
  start_averages = average.start_op() if average else tf.no_op()

  def load(scaffold, session):
    del scaffold
    restorer.restore(session, plan.checkpoint)
    session.run(start_averages)

  return load


def _run(options, graph, scaffold, stop):
  """Runs the steps."""
  loop = options.loop
  saver_hook = tf.train.CheckpointSaverHook(
      loop.train_dir, save_secs=loop.save_interval_secs, scaffold=scaffold)
  run_hooks = [
      stop,
      hooks.FiniteLossHook(graph, loop.train_dir),
      hooks.ProgressHook(
          graph, loop.max_number_of_steps, loop.log_every_n_steps,
          hooks.log_file(loop.train_dir)),
      saver_hook,
      tf.train.SummarySaverHook(
          save_secs=loop.save_summaries_secs, output_dir=loop.train_dir,
          scaffold=scaffold)]
  if loop.max_number_of_steps is not None:
    run_hooks.append(
        tf.train.StopAtStepHook(last_step=loop.max_number_of_steps))
  creator = tf.train.ChiefSessionCreator(
      scaffold, master=options.deployment.master,
      config=tf.ConfigProto(allow_soft_placement=True),
      checkpoint_dir=loop.train_dir)
  with tf.train.MonitoredSession(creator, run_hooks) as session:
    while not session.should_stop():
      session.run(graph.train_op)


def _print_banner(options, facts, resumed):
  """Says what is about to happen."""
  data, model = options.data, options.model
  print('Training %s on %s/%s: %d examples, %d classes, pictures %s.' % (
      model.model_name, data.dataset_name, data.dataset_split_name,
      facts.num_examples, facts.num_classes,
      'x'.join(str(side) for side in facts.image_shape)))
  print('  Batch: %d a clone, %d in all; %.1f steps an epoch of all clones.' % (
      data.batch_size, facts.examples_per_step,
      facts.num_examples / facts.examples_per_step))
  print('  Optimiser: %s; learning rate %s.' % (
      options.optimizer.optimizer,
      learning_rates.describe(options.schedule, facts.steps_per_epoch)))
  print('  Trained: %d variables, %d parameters.' % (
      len(facts.trained_variables),
      sum(v.shape.num_elements() for v in facts.trained_variables)))
  if resumed:
    print('  Going on from %s.' % resumed)


def _draw_learning_curve(train_dir):
  """Draws the log, where matplotlib is there to do so."""
  picture = os.path.join(train_dir, 'learning_curve.png')
  if plots.draw_learning_curve(hooks.log_file(train_dir), picture):
    print('Learning curve: %s' % picture)
