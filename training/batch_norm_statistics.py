"""The moving statistics of batch normalisation, refreshed or compared."""
import numpy as np

_STATISTICS = ('/moving_mean', '/moving_variance')


def of(variables):
  """Returns those of the variables that are moving statistics."""
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
