"""The moving statistics of batch normalisation, refreshed or compared."""
import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.evaluate import eval_graph

_STATISTICS = ('/moving_mean', '/moving_variance')
_COMPARED_BATCHES = 2


class MovingStatistics:
  """The moving statistics of a network that is evaluated.

  False where it has none.
  """

  def __init__(self, options, graph, session):
    """Finds them.

    Args:
      options: an `options.Evaluate`.
      graph: the `eval_graph.EvalGraph`.
      session: the tf.Session of its variables.
    """
    self._options = options
    self._graph = graph
    self._session = session
    self._statistics = of(graph.variables_to_restore.values())
    # The network in training mode, made when it is first wanted.
    self._of_split = self._of_training = None

  def __bool__(self):
    return bool(self._statistics)

  def recalibrate(self, show):
    """Sets them to their means over batches of recalibration_split.

    Args:
      show: function, called with the number of batches done.

    Raises:
      ValueError: there are none, or the split cannot be read.
    """
    asked = self._options.batch_norm
    if not self:
      raise ValueError(
          '--recalibrate_batch_norm: %s has no batch normalisation; leave it '
          'out.' % self._options.evaluation.model_name)
    if self._of_training is None:
      with self._session.graph.as_default():
        images = eval_graph.training_batch(
            self._options, self._graph, asked.recalibration_split)
      self._of_training = self._add_training_network(images)
    eval_graph.start(self._session)
    refresh(self._session, self._statistics, self._of_training,
            asked.recalibrate_batch_norm, show)

  def compare(self, moving, own):
    """Evaluates the first batches by the moving and by their own statistics.

    Args:
      moving, own: empty metrics, to which the examples are added.

    Raises:
      ValueError, tf.errors.OpError: the network cannot be built for training
        with pictures like these.
    """
    if self._of_split is None:
      self._of_split = self._add_training_network(self._graph.batch.images)
    tensors = [self._graph.batch.labels, self._graph.logits, self._of_split[0]]
    eval_graph.start(self._session)
    for _ in range(_COMPARED_BATCHES):
      try:
        labels, logits, training_logits = self._session.run(tensors)
      except tf.errors.OutOfRangeError:
        break
      moving.add(logits, labels)
      own.add(training_logits, labels)

  def _add_training_network(self, images):
    """Returns what `eval_graph.training_logits` does, ready to run."""
    with self._session.graph.as_default():
      before = {variable.op.name for variable in tf.global_variables()}
      network = eval_graph.training_logits(self._options, self._graph, images)
      self._session.run(tf.variables_initializer([
          variable for variable in tf.global_variables()
          if variable.op.name not in before]))
    return network


def of(variables):
  """Returns those of the variables that are moving statistics, a list."""
  return [variable for variable in variables
          if variable.op.name.endswith(_STATISTICS)]


def refresh(session, statistics, step, num_batches, show):
  """Sets moving statistics to the means of those of single batches.

  The weights stay as they are (precise batch normalisation: Wu and Johnson,
  arXiv:2105.07576, section 3).

  Args:
    session: the tf.Session of the variables.
    statistics: list of variables, see `of`.
    step: what to run in order to set them to those of the next batch.
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


def diagnosis(name, evaluation, training, examples):
  """Says whether statistics of the batch serve far better than moving ones.

  Args:
    name: name of the metric.
    evaluation: its value with the moving statistics, in [0, 1].
    training: its value with the batches' own, on the same examples.
    examples: their number.

  Returns:
    Lines of text: what is wrong, and what helps; none if all is well.
  """
  # More than chance does: three standard errors of a share near a half.
  if training - evaluation < max(0.1, 1.5 / np.sqrt(examples)):
    return []
  return [
      'On the first %d examples %s is %.3f with the moving statistics of batch '
      'normalisation,' % (examples, name, evaluation),
      'and %.3f with those of each batch: the moving statistics do not fit the '
      'weights.' % training,
      'Now: --recalibrate_batch_norm=100 computes them anew, and '
      '--recalibrated_checkpoint=FILE keeps them.',
      'Next time: train for more steps or with a lower --batch_norm_decay (the '
      'statistics lag about',
      '1 / (1 - decay) steps), or fine-tune with --freeze_batch_norm.']
