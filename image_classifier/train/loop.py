"""Training runs, from options to files."""
import dataclasses
import os
import signal

import tensorflow.compat.v1 as tf

from deployment import all_reduce
from deployment import batch_norm_statistics
from deployment import cluster
from deployment import tf_config
from deployment import watch
from image_classifier import options as program_options
from image_classifier.checkpoints import checkpoint_saver
from image_classifier.checkpoints import warm_start
from image_classifier.graphs import errors
from image_classifier.runs import best_checkpoint
from image_classifier.runs import learning_curve
from image_classifier.runs import resume
from image_classifier.runs import run_record
from image_classifier.train import evaluation_hook
from image_classifier.train import hooks
from image_classifier.train import learning_rate as learning_rates
from image_classifier.train import resolved_run
from image_classifier.train import run_length
from image_classifier.train import session_config
from image_classifier.train import train_graph
from slim_common import flags

# Of a file that is cut short, damaged, a directory, or another user's.
_UNREADABLE = (
    tf.errors.OutOfRangeError, tf.errors.DataLossError,
    tf.errors.FailedPreconditionError, tf.errors.PermissionDeniedError)


def train(options: program_options.Train, extra_hooks=()) -> int:
  """Trains a network, or resumes an interrupted training.

  `extra_hooks` are further `tf.train.SessionRunHook`s.

  Returns:
    The exit status of the program: 0, or 128 + the signal that ended the run.

  Raises:
    ValueError: the options, the data or the checkpoint do not fit, or the loss
      is not finite.
    OSError: a checkpoint cannot be saved.
  """
  options = dataclasses.replace(
      options, deployment=tf_config.apply(options.deployment))
  deployment = cluster.resolve(options.deployment)
  if deployment.job_name == 'ps':
    return cluster.serve(deployment)
  # Now, as building the graph may take a while.
  cluster.check_port(deployment)
  lock = resume.lock(options.loop.train_dir)
  try:
    if cluster.is_chief(deployment) and os.path.isdir(
        options.loop.train_dir):
      # Before the files there are read.
      resume.check_directory(options.loop.train_dir)
      lock.acquire()
    run = resolved_run.resolve(options)
    status = _train(run, extra_hooks, lock)
  finally:
    lock.release()
  if status == 0:
    cluster.report_end(run.deployment)
  return status


def _train(run, extra_hooks, lock):
  """Trains in this worker, the only one or one of several."""
  for note in run.notes:
    print(note)
  reason = _nothing_to_do(run)
  if reason:
    print('Nothing to do: ' + reason)
    return 0
  stop_hook = hooks.StopOnSignalHook()
  with tf.Graph().as_default():
    graph = train_graph.build(run)
    scaffold = _scaffold(run, graph)
    print('\n'.join(_banner(run, graph)))
    writer = None
    if run.is_chief:
      _prepare_directory(run, lock)
      writer = tf.summary.FileWriter(
          run.options.loop.train_dir, tf.get_default_graph())
      finite_loss, others = _hooks_of_chief(
          run, graph, scaffold, writer, stop_hook)
    else:
      finite_loss, others = _hooks_of_worker(run, graph, stop_hook)
    with stop_hook:
      _run_steps(run, graph, scaffold, writer, stop_hook, finite_loss,
                 others + graph.hooks + _end(run.length) + list(extra_hooks))
  return _print_end(run, stop_hook.signal_number)


def _nothing_to_do(run):
  """Returns why a run has ended already; None if it has not."""
  loop, start = run.options.loop, run.start
  if start.checkpoint is None:
    return None
  last_step = run.length.last_step
  if last_step is not None and start.step >= last_step:
    return '%s is at step %d of %d.' % (loop.train_dir, start.step, last_step)
  if run.best is None or not run.best.is_exhausted(
      loop.early_stopping_patience):
    return None
  return ('%s stopped early at step %d: no gain in %d evaluations since step '
          '%d. Continue with a larger --early_stopping_patience.' % (
              loop.train_dir, start.step, run.best.without_gain,
              run.best.step))


def _scaffold(run, graph):
  """Decides what the run starts from; the cases are listed in resume.py."""
  loop, warm = run.options.loop, run.options.warm_start
  saver = tf.train.Saver(max_to_keep=None)
  tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
  init_fn = None
  if run.start.checkpoint:
    resume.check_fits(run.start, tf.global_variables(), loop.train_dir)
    if warm.checkpoint_path:
      print('--checkpoint_path is ignored: the run resumes from %s. '
            '--resume=never starts from scratch.' % run.start.checkpoint)
  elif warm.checkpoint_path:
    plan = warm_start.plan(warm)
    print('\n'.join(warm_start.describe(plan)))
    resume.check_apart(plan.checkpoint, loop.train_dir, loop.resume)
    zeros = warm_start.new_heads(plan, run.num_outputs) if (
        warm.new_head == 'zeros' and not run.embedding_size) else []
    init_fn = _loader(plan, graph.average, zeros)
  ready = {}
  if not cluster.has_parameter_servers(run.deployment):
    # This process has made or loaded all variables; looking for others takes up
    # to a quarter of a second.
    ready = dict.fromkeys(('ready_op', 'ready_for_local_init_op'),
                          tf.constant([], tf.string))
  return tf.train.Scaffold(
      saver=saver, init_fn=init_fn,
      summary_op=_summary_op(graph, loop.summarize_images), **ready)


def _summary_op(graph, num_images):
  """Returns the op of all summaries, training images included."""
  if not num_images:
    return graph.summary_op
  return tf.summary.merge([graph.summary_op, tf.summary.image(
      'training_images', graph.images, max_outputs=num_images)])


def _loader(plan, average, zeros):
  """Returns a Scaffold's init_fn that loads the variables of a warm start.

  Args:
    plan: the `warm_start.Plan`.
    average: the `moving_average.MovingAverage` of the weights, or None.
    zeros: list of variables that start at 0.
  """
  restorer = tf.train.Saver(plan.loaded)
  start_averages = average.start_op() if average else tf.no_op()

  def load(scaffold, session):
    del scaffold
    try:
      restorer.restore(session, plan.checkpoint)
      warm_start.load_adapted(plan, session)
      warm_start.load_zeros(zeros, session)
    except _UNREADABLE as error:
      raise ValueError(
          'The checkpoint %s cannot be read to its end: %s. Is one of its '
          'files cut short, or may this user not read it?' % (
              plan.checkpoint, checkpoint_saver.reason(error)))
    session.run(start_averages)

  return load


def _prepare_directory(run, lock):
  """Makes train_dir; removes what is not of this run or after its start."""
  train_dir = run.options.loop.train_dir
  resume.make_directory(train_dir)
  if lock.acquire():
    resume.check_still(run.start, train_dir, run.options.loop.resume)
  moved = run.start.checkpoint is None and resume.move_aside(train_dir)
  if moved:
    print('Moved the files of an earlier run to %s.' % moved)
  if run.start.step:
    for change in run_record.changes(train_dir, run.record):
      print('Changed since the run started: ' + change)
  resume.clean(train_dir, run.start)
  run_record.write(train_dir, run.record, flags.as_dict(type(run.options)()))


def _run_steps(run, graph, scaffold, writer, stop_hook, finite_loss,
               other_hooks):
  """Runs the steps."""
  if run.start.step and writer:
    # TensorBoard drops what a killed run had written of later steps.
    writer.add_session_log(
        tf.SessionLog(status=tf.SessionLog.START), run.start.step + 1)
  all_hooks = [finite_loss] + other_hooks
  watcher = _watch(run)
  creator = _session_creator(run, scaffold, watcher)
  if graph.workers:
    all_hooks = all_reduce.hooks(
        graph.workers, all_hooks, stop_hook, watcher)
  with errors.explained(run.options), watcher:
    try:
      with tf.train.MonitoredSession(creator, all_hooks) as session:
        while not session.should_stop():
          session.run(graph.train_op)
    except tf.errors.InvalidArgumentError as error:
      raise finite_loss.of_summary(error) or error
    except OSError as error:
      if error.errno is None:
        raise
      saved = tf.train.latest_checkpoint(run.options.loop.train_dir)
      raise OSError('%s. The last good checkpoint is %s; remove the cause and '
                    'run the same command to resume from it.' % (error, saved))
    finally:
      if writer:
        writer.close()


def _watch(run):
  """Returns what ends this process if a worker that it needs is lost."""
  options, loop = run.options, run.options.loop
  return watch.Watch(run.deployment, dict(
      _agreed(run), **{
          'batch_size': options.data.batch_size,
          'num_clones': run.deployment.num_clones,
          'batch_norm_statistics': batch_norm_statistics.choose(options.model),
          'the first step': run.start.step}),
                     lambda: tf.train.latest_checkpoint(loop.train_dir))


def _agreed(run):
  """Returns what all workers of any training must agree on."""
  deployment = run.deployment
  return {
      'worker_hosts': ','.join(deployment.worker_hosts),
      'ps_hosts': ','.join(deployment.ps_hosts),
      'sync_replicas': deployment.sync_replicas,
      'model_name': run.options.model.model_name,
      'num_classes': run.num_classes,
      'optimizer': run.options.optimizer.optimizer,
      'the last step': run.length.last_step}


def _session_creator(run, scaffold, watcher):
  """Returns what makes the session, and a new one if a server is lost."""
  deployment = run.deployment
  config = session_config.session_config(deployment)
  config.device_filters.extend(cluster.device_filters(deployment))
  has_servers = cluster.has_parameter_servers(deployment)
  arguments = dict(
      scaffold=scaffold, config=config, master=cluster.start_worker(
          deployment, None if has_servers else config))
  if all_reduce.is_used(deployment):
    watcher.listen()
    # The other workers get the variables of worker 0.
    creator = all_reduce.SessionCreator(tf.train.ChiefSessionCreator(
        checkpoint_filename_with_path=(
            run.start.checkpoint if run.is_chief else None),
        **arguments), watcher)
  elif not run.is_chief:
    creator = cluster.WorkerSessionCreator(
        seconds=deployment.cluster_timeout_secs, **arguments)
  elif has_servers:
    # The variables of a lost parameter server come from the latest checkpoint.
    creator = tf.train.ChiefSessionCreator(
        checkpoint_dir=run.options.loop.train_dir, **arguments)
  else:
    creator = tf.train.ChiefSessionCreator(
        checkpoint_filename_with_path=run.start.checkpoint, **arguments)
  return cluster.WaitingSessionCreator(
      creator, deployment, _agreed(run))


def _hooks_of_worker(run, graph, stop_hook):
  """Returns what happens between the steps of a worker except the chief.

  Returns:
    (finite_loss, others): the `hooks.FiniteLossHook`, which comes first, and a
    list of the other hooks in their order.
  """
  readings = hooks.readings(graph)
  finite_loss = hooks.FiniteLossHook(
      readings, lambda: tf.train.latest_checkpoint(run.options.loop.train_dir))
  progress_hook = hooks.ProgressHook(
      readings, run.start.step, run.length.last_step,
      run.options.loop.log_every_n_steps, run.length.examples_per_step)
  return finite_loss, [
      stop_hook, progress_hook, hooks.WorkerStepsHook(run.deployment.task)]


def _hooks_of_chief(run, graph, scaffold, writer, stop_hook):
  """Returns the same for the only worker, or the chief of several."""
  loop, start, length = run.options.loop, run.start, run.length
  readings = hooks.readings(graph)
  saver_hook = checkpoint_saver.CheckpointHook(
      readings, loop.train_dir, scaffold.saver, loop.save_interval_secs,
      loop.max_checkpoints_to_keep, start)
  finite_loss = hooks.FiniteLossHook(readings, lambda: saver_hook.latest)
  progress_hook = hooks.ProgressHook(
      readings, start.step, length.last_step, loop.log_every_n_steps,
      length.examples_per_step, loop.train_dir, writer)
  others = [
      stop_hook, progress_hook, saver_hook,
      tf.train.SummarySaverHook(
          save_secs=loop.save_summaries_secs, summary_writer=writer,
          scaffold=scaffold)]
  if loop.trace_every:
    others.append(hooks.TraceHook(
        readings, loop.train_dir, start.step, loop.trace_every))
  if run.plan is not None:
    others.append(evaluation_hook.EvaluationHook(
        readings, run, saver_hook, progress_hook, stop_hook))
  if cluster.has_parameter_servers(run.deployment):
    others.append(hooks.WorkerStepsHook(run.deployment.task))
  return finite_loss, others


def _end(length):
  """Returns the hook that ends the run at its last step, if it has one."""
  if length.last_step is None:
    return []
  return [tf.train.StopAtStepHook(last_step=length.last_step)]


def _banner(run, graph):
  """Returns lines about the run that starts."""
  options, length = run.options, run.length
  data, num_examples = options.data, run.dataset.num_samples
  lines = [
      'Training %s on %s/%s: %d examples, %d classes, images %s.' % (
          options.model.model_name, data.dataset_name, data.dataset_split_name,
          num_examples, run.num_classes,
          'x'.join(str(size) for size in run.image_shape)),
      '  Batch: %d per clone, %d in total; %.1f steps per epoch of all '
      'clones.' % (data.batch_size, length.examples_per_step,
                   num_examples / length.examples_per_step),
      '  Devices of the clones: %s.' % ', '.join(graph.devices),
      '  Optimizer: %s; learning rate %s.' % (
          options.optimizer.optimizer, learning_rates.describe(
              options.schedule, run.steps_per_epoch, length.last_step)),
      '  Trained: %d variables, %d parameters.' % (
          len(graph.trained_variables),
          sum(v.shape.num_elements() for v in graph.trained_variables))]
  lines += ['  ' + note for note in [
      run_length.describe(length, num_examples)] + all_reduce.describe(
          run.deployment, data.batch_size,
          options.schedule.learning_rate) + graph.notes]
  if run.plan is not None:
    lines.append('  Evaluated on %s every %d steps; the best %s is kept in '
                 '%s.' % (run.plan.split, length.eval_every, run.plan.metric,
                          _best_directory(run)))
  if run.start.checkpoint:
    lines.append('  Resuming from %s.' % run.start.checkpoint)
  return lines


def _print_end(run, signal_number):
  """Prints how the run ended; returns the status of the program."""
  status = 0 if signal_number is None else 128 + signal_number
  if not run.is_chief:
    return status
  saved = tf.train.latest_checkpoint(run.options.loop.train_dir)
  if status:
    print('Stopped by %s. Saved %s; run the same command to resume.' % (
        signal.Signals(signal_number).name, saved))
    return status
  print('Finished. Saved %s.' % saved)
  _print_best(run)
  return 0


def _print_best(run):
  """Names the best checkpoint, and draws the log if matplotlib is there."""
  train_dir, marked = run.options.loop.train_dir, None
  record = best_checkpoint.read(train_dir) if run.plan else None
  if record:
    marked = record['metric'], record['step']
    print('Best %s on %s: %.4f at step %d, kept in %s.' % (
        record['metric'], record['split'], record['value'], record['step'],
        _best_directory(run)))
  image = os.path.join(train_dir, 'learning_curve.png')
  if learning_curve.draw_learning_curve(train_dir, image, marked):
    print('Learning curve: %s' % image)


def _best_directory(run):
  return os.path.join(run.options.loop.train_dir, best_checkpoint.DIRECTORY)
