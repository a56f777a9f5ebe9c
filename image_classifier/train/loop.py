"""Runs of training, from options to files."""
import dataclasses
import os
import signal

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from deployment import cluster
from image_classifier.checkpoints import checkpoint_saver
from image_classifier.checkpoints import warm_start
from image_classifier.evaluate import evaluation
from image_classifier.graphs import errors
from image_classifier.runs import best_checkpoint
from image_classifier.runs import learning_curve
from image_classifier.runs import resume
from image_classifier.runs import run_record
from image_classifier.train import evaluation_schedule
from image_classifier.train import hooks
from image_classifier.train import learning_rate as learning_rates
from image_classifier.train import run_length
from image_classifier.train import session_config
from image_classifier.train import train_graph
from slim_common import flags


def train(options, extra_hooks=()):
  """Trains a network, or goes on with a training that was interrupted.

  Args:
    options: an `options.Train`.
    extra_hooks: further `tf.train.SessionRunHook`s.

  Returns:
    The exit status of the program: 0, or 128 + the signal that ended the run.

  Raises:
    ValueError: the options, the data or the checkpoint do not fit, or the loss
      is not finite.
    OSError: a checkpoint cannot be saved.
  """
  deployment = cluster.resolve(options.deployment)
  if deployment.job_name == 'ps':
    return cluster.serve(deployment)
  status = _train(
      dataclasses.replace(options, deployment=deployment), extra_hooks)
  if status == 0:
    cluster.report_end(deployment)
  return status


def _train(options, extra_hooks):
  """Trains in this worker, the only one or one of several."""
  loop = options.loop
  resume.check_directory(loop.train_dir)
  dataset = _dataset(options.data, options.data.dataset_split_name)
  length = run_length.of(options, dataset.num_samples)
  plan = evaluation_schedule.make(
      options, length, dataset, lambda split: _dataset(options.data, split))
  start = resume.find(loop.train_dir, loop.resume)
  if start.checkpoint:
    # Early, as a large network takes a while to build.
    run_record.check(loop.train_dir, run_record.make(
        options, None, dataset, length.last_step))
  reason = _nothing_to_do(loop, length, start, plan)
  if reason:
    print('Nothing to do: ' + reason)
    return 0
  stop = hooks.StopOnSignalHook()
  with tf.Graph().as_default():
    # Schedules that run to the end of the training see where that is.
    graph = train_graph.build(
        run_length.with_last_step(options, length.last_step), start.step,
        start.checkpoint)
    record = run_record.make(options, graph.facts, dataset, length.last_step)
    scaffold = _scaffold(options, graph, start, record)
    _print_banner(options, graph.facts, start, length, plan)
    writer = None
    if cluster.is_chief(options.deployment):
      _prepare_directory(options, start, record)
      writer = tf.summary.FileWriter(loop.train_dir, tf.get_default_graph())
      run_hooks = _hooks(
          options, graph, scaffold, start, length, plan, writer, stop)
    else:
      run_hooks = _hooks_of_worker(options, graph, start, length, stop)
    with stop:
      _run(options, graph, scaffold, start, writer,
           run_hooks + list(extra_hooks))
  return _tell_the_end(options, stop.signal_number, plan)


def _tell_the_end(options, signal_number, plan):
  """Says where the run stands; returns the status of the program."""
  status = 0 if signal_number is None else 128 + signal_number
  if not cluster.is_chief(options.deployment):
    return status
  train_dir = options.loop.train_dir
  saved = tf.train.latest_checkpoint(train_dir)
  if status:
    print('Stopped by %s. Saved %s; the same command goes on from there.' % (
        signal.Signals(signal_number).name, saved))
    return status
  print('Finished. Saved %s.' % saved)
  _tell_the_best(train_dir, plan)
  return 0


def _dataset(options, split):
  return dataset_factory.get_dataset(
      options.dataset_name, split, options.dataset_dir)


def _nothing_to_do(loop, length, start, plan):
  """Returns why a run has come to its end already; None if it has not."""
  if start.checkpoint is None:
    return None
  if length.last_step is not None and start.step >= length.last_step:
    return '%s is at step %d of %d.' % (
        loop.train_dir, start.step, length.last_step)
  if plan is None:
    return None
  best = best_checkpoint.BestCheckpoint(
      loop.train_dir, plan.metric, plan.split, start.step)
  if best.is_exhausted(loop.early_stopping_patience):
    return ('%s stopped early at step %d: no gain in %d evaluations since step '
            '%d. A larger --early_stopping_patience goes on.' % (
                loop.train_dir, start.step, best.without_gain, best.step))
  return None


def _scaffold(options, graph, start, record):
  """Decides what the run starts from; the cases are listed in resume.py."""
  loop, warm = options.loop, options.warm_start
  saver = tf.train.Saver(max_to_keep=None)
  tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
  init_fn = None
  if start.checkpoint:
    run_record.check(loop.train_dir, record)
    resume.check_fits(start, tf.global_variables(), loop.train_dir)
    if warm.checkpoint_path:
      print('--checkpoint_path is ignored: %s holds the checkpoint %s to go on '
            'from. --resume=never starts anew.' % (
                loop.train_dir, start.checkpoint))
  elif warm.checkpoint_path:
    plan = warm_start.plan(warm)
    print('\n'.join(warm_start.describe(plan)))
    resume.check_apart(plan.checkpoint, loop.train_dir, loop.resume)
    init_fn = _loader(plan, graph.average)
  return tf.train.Scaffold(
      saver=saver, init_fn=init_fn,
      summary_op=_summary_op(graph, loop.summarize_images))


def _summary_op(graph, num_images):
  """Returns the op of all summaries, training pictures among them."""
  if not num_images:
    return graph.summary_op
  return tf.summary.merge([graph.summary_op, tf.summary.image(
      'training_images', graph.images, max_outputs=num_images)])


def _loader(plan, average):
  """Returns a Scaffold's init_fn that loads the variables of a warm start."""
  restorer = tf.train.Saver(plan.loaded)
  start_averages = average.start_op() if average else tf.no_op()

  def load(scaffold, session):
    del scaffold
    restorer.restore(session, plan.checkpoint)
    session.run(start_averages)

  return load


def _prepare_directory(options, start, record):
  """Makes the directory, without what is not of this run or after its start."""
  train_dir = options.loop.train_dir
  resume.make_directory(train_dir)
  moved = start.checkpoint is None and resume.move_aside(train_dir)
  if moved:
    print('The files of an earlier run are now in %s.' % moved)
  for change in run_record.changes(train_dir, record) if start.step else ():
    print('Changed since the run began: ' + change)
  resume.clean(train_dir, start)
  run_record.write(train_dir, record, flags.as_dict(type(options)()))


def _run(options, graph, scaffold, start, writer, run_hooks):
  """Runs the steps."""
  if start.step and writer:
    # TensorBoard drops what a killed run had written of later steps.
    writer.add_session_log(
        tf.SessionLog(status=tf.SessionLog.START), start.step + 1)
  creator = _session_creator(options, scaffold, start)
  with errors.explained(options):
    try:
      with tf.train.MonitoredSession(creator, run_hooks) as session:
        while not session.should_stop():
          session.run(graph.train_op)
    except tf.errors.InvalidArgumentError as error:
      raise run_hooks[0].of_summary(error) or error
    except OSError as error:
      if error.errno is None:
        raise
      saved = tf.train.latest_checkpoint(options.loop.train_dir)
      raise OSError('%s. The last good checkpoint is %s; with the cause '
                    'removed, the same command goes on from there.' % (
                        error, saved))
    finally:
      if writer:
        writer.close()


def _session_creator(options, scaffold, start):
  """Returns what makes the session, and makes it anew if a server is lost."""
  deployment = options.deployment
  config = session_config.session_config(deployment)
  config.device_filters.extend(cluster.device_filters(deployment))
  arguments = dict(scaffold=scaffold, config=config,
                   master=cluster.start_worker(deployment))
  if not cluster.is_chief(deployment):
    return cluster.WorkerSessionCreator(**arguments)
  if cluster.has_parameter_servers(deployment):
    # The variables of a lost parameter server come from the latest checkpoint.
    return tf.train.ChiefSessionCreator(
        checkpoint_dir=options.loop.train_dir, **arguments)
  return tf.train.ChiefSessionCreator(
      checkpoint_filename_with_path=start.checkpoint, **arguments)


def _hooks_of_worker(options, graph, start, length, stop):
  """Returns what happens between the steps of a worker but the chief."""
  train_dir = options.loop.train_dir
  readings = hooks.readings(graph)
  run_hooks = [
      hooks.FiniteLossHook(
          readings, lambda: tf.train.latest_checkpoint(train_dir)),
      stop, hooks.ProgressHook(
          readings, start.step, length.last_step,
          options.loop.log_every_n_steps, length.examples_per_step),
      hooks.OwnStepsHook(options.deployment.task)]
  return run_hooks + graph.hooks + _end(length)


def _end(length):
  """Returns the hook that ends the run at its last step, if it has one."""
  if length.last_step is None:
    return []
  return [tf.train.StopAtStepHook(last_step=length.last_step)]


def _hooks(options, graph, scaffold, start, length, plan, writer, stop):
  """Returns what happens between the steps, in this order."""
  loop, train_dir = options.loop, options.loop.train_dir
  readings = hooks.readings(graph)
  saver_hook = checkpoint_saver.CheckpointHook(
      readings, train_dir, scaffold.saver, loop.save_interval_secs,
      loop.max_checkpoints_to_keep, start)
  progress_hook = hooks.ProgressHook(
      readings, start.step, length.last_step, loop.log_every_n_steps,
      length.examples_per_step, train_dir, writer)
  run_hooks = [
      hooks.FiniteLossHook(readings, lambda: saver_hook.latest), stop,
      progress_hook, saver_hook,
      tf.train.SummarySaverHook(
          save_secs=loop.save_summaries_secs, summary_writer=writer,
          scaffold=scaffold)]
  if loop.trace_every:
    run_hooks.append(hooks.TraceHook(
        readings, train_dir, start.step, loop.trace_every))
  if plan is not None:
    best = best_checkpoint.BestCheckpoint(
        train_dir, plan.metric, plan.split, start.step)
    run_hooks.append(hooks.EvaluationHook(
        readings, start.step, length.eval_every, loop.early_stopping_patience,
        lambda prefix: evaluation.evaluate(
            evaluation_schedule.options_of(
                plan, options, prefix, graph.facts.labels_offset), quiet=True),
        saver_hook, best, progress_hook, train_dir, plan.split, stop))
  if cluster.has_parameter_servers(options.deployment):
    run_hooks.append(hooks.OwnStepsHook(options.deployment.task))
  return run_hooks + graph.hooks + _end(length)


def _print_banner(options, facts, start, length, plan):
  """Says what is about to happen."""
  data, model = options.data, options.model
  print('Training %s on %s/%s: %d examples, %d classes, pictures %s.' % (
      model.model_name, data.dataset_name, data.dataset_split_name,
      facts.num_examples, facts.num_classes,
      'x'.join(str(side) for side in facts.image_shape)))
  print('  Batch: %d a clone, %d in all; %.1f steps an epoch of all clones.' % (
      data.batch_size, facts.examples_per_step,
      facts.num_examples / facts.examples_per_step))
  print('  Devices of the clones: %s.' % ', '.join(facts.devices))
  print('  Optimiser: %s; learning rate %s.' % (
      options.optimizer.optimizer, learning_rates.describe(
          options.schedule, facts.steps_per_epoch, length.last_step)))
  print('  Trained: %d variables, %d parameters.' % (
      len(facts.trained_variables),
      sum(v.shape.num_elements() for v in facts.trained_variables)))
  for note in (run_length.describe(length, facts.num_examples),) + tuple(
      facts.notes):
    print('  ' + note)
  if plan is not None:
    print('  Evaluated on %s every %d steps; the best %s is kept in %s.' % (
        plan.split, length.eval_every, plan.metric, os.path.join(
            options.loop.train_dir, best_checkpoint.FOLDER)))
  if start.checkpoint:
    print('  Going on from %s.' % start.checkpoint)


def _tell_the_best(train_dir, plan):
  """Names the best checkpoint, and draws the log where matplotlib is there."""
  marked = None
  record = best_checkpoint.read(train_dir) if plan else None
  if record:
    marked = record['metric'], record['step']
    print('Best %s on %s: %.4f at step %d, kept in %s.' % (
        record['metric'], record['split'], record['value'], record['step'],
        os.path.join(train_dir, best_checkpoint.FOLDER)))
  picture = os.path.join(train_dir, 'learning_curve.png')
  if learning_curve.draw_learning_curve(train_dir, picture, marked):
    print('Learning curve: %s' % picture)
