"""Recalibration of the moving statistics of batch normalization."""
import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import foreign_names
from image_classifier.evaluate import eval_graph

_COMPARED_BATCHES = 2


class MovingStatistics:
  """The moving statistics of the evaluated network; false if it has none.

  Args:
    options: an `options.Evaluate`.
    graph: the `eval_graph.EvalGraph`.
    session: the tf.Session of its variables.
  """

  def __init__(self, options, graph, session):
    self._options, self._graph, self._session = options, graph, session
    self._statistics = moving_statistics(graph.variables_to_restore.values())
    # The network in training mode, on the evaluated split and on
    # recalibration_split; each is built at its first use.
    self._on_evaluated = self._on_recalibration = None

  def __bool__(self):
    return bool(self._statistics)

  def recalibrate(self, show):
    """Sets the statistics to means over batches of recalibration_split.

    Args:
      show: function, called with the number of batches done.

    Raises:
      ValueError: the network has none, or the split cannot be read.
    """
    asked = self._options.batch_norm
    if not self:
      raise ValueError(
          '--recalibrate_batch_norm: %s has no batch normalization; leave it '
          'out.' % self._options.evaluation.model_name)
    if self._on_recalibration is None:
      with self._session.graph.as_default():
        images = eval_graph.training_batch(
            self._options, self._graph, asked.recalibration_split)
      self._on_recalibration = self._add_training_network(images)
    eval_graph.restart_input(self._session)
    recalibrate(self._session, self._statistics, self._on_recalibration,
                asked.recalibrate_batch_norm, show)

  def compare(self, moving, batch):
    """Evaluates the first batches with moving and with batch statistics.

    Args:
      moving, batch: metrics, to which the predictions with these are added.

    Raises:
      ValueError: the network cannot be built for training on such images.
      tf.errors.OpError: it cannot be run on them.
    """
    batch_of_graph = self._graph.batch
    if self._on_evaluated is None:
      self._on_evaluated = self._add_training_network(batch_of_graph.images)
    tensors = [batch_of_graph.labels, self._graph.logits, self._on_evaluated[0]]
    eval_graph.restart_input(self._session)
    for _ in range(_COMPARED_BATCHES):
      try:
        labels, logits, training_logits = self._session.run(tensors)
      except tf.errors.OutOfRangeError:
        break
      moving.add(logits, labels)
      batch.add(training_logits, labels)

  def _add_training_network(self, images):
    """Returns the value of `eval_graph.training_logits`, initialized."""
    with self._session.graph.as_default():
      before = {variable.op.name for variable in tf.global_variables()}
      network = eval_graph.training_logits(self._options, self._graph, images)
      self._session.run(tf.variables_initializer([
          variable for variable in tf.global_variables()
          if variable.op.name not in before]))
    return network


def moving_statistics(variables):
  """Returns the list of the variables that are moving statistics."""
  return [variable for variable in variables
          if foreign_names.is_statistic(variable.op.name)]


def recalibrate(session, statistics, step, num_batches, show):
  """Sets moving statistics to means of the statistics of batches.

  The weights do not change (precise batch normalization: Wu and Johnson,
  arXiv:2105.07576, section 3).

  Args:
    session: the tf.Session of the variables.
    statistics: list of variables, see `moving_statistics`.
    step: tensors and ops that set them to those of the next batch when run.
    num_batches: number of batches.
    show: function, called with the number of batches done.
  """
  sums = [np.zeros(variable.shape.as_list()) for variable in statistics]
  for number in range(num_batches):
    session.run(step)
    for total, value in zip(sums, session.run(statistics)):
      total += value
    show(number + 1)
  for variable, total in zip(statistics, sums):
    variable.load(total / num_batches, session)


def diagnose(name, evaluation, training, examples):
  """Returns lines of text where moving statistics are far worse than batches'.

  Args:
    name: name of the metric.
    evaluation: its value with the moving statistics, in [0, 1].
    training: its value with those of each batch, on the same examples.
    examples: number of the examples.
  """
  # More than chance: three standard errors of a fraction near a half.
  if training - evaluation < max(0.1, 1.5 / np.sqrt(examples)):
    return []
  return [
      'On the first %d examples %s is %.3f with the moving statistics of batch '
      'normalization,' % (examples, name, evaluation),
      'and %.3f with those of each batch: the moving statistics do not fit the '
      'weights.' % training,
      'Now: --recalibrate_batch_norm=100 recomputes them, and '
      '--recalibrated_checkpoint=FILE saves them.',
      'Next time: train for more steps or with a lower --batch_norm_decay (the '
      'statistics lag about',
      '1 / (1 - decay) steps), or fine-tune with --freeze_batch_norm.']
