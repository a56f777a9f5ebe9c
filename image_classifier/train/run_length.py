"""How long a run is, and how often it is evaluated, in steps."""
import math
from typing import NamedTuple, Optional

from deployment import all_reduce


class RunLength(NamedTuple):
  """The length of a run.

  Attributes:
    last_step: global step at which the run ends; None if it does not end.
    eval_every: steps between two evaluations; 0 for no evaluation.
    examples_per_step: examples in one update of the weights.
    head_steps: steps at the start in which only the last layers are trained.
  """
  last_step: Optional[int]
  eval_every: int
  examples_per_step: int
  head_steps: int = 0


def compute(options, num_examples: int) -> RunLength:
  """Converts the epochs among the options to steps.

  An epoch is one pass over the examples of the split by all clones of all
  workers together. Of --max_number_of_steps and --num_epochs the one that ends
  earlier counts.

  Args:
    options: an `options.Train`.
    num_examples: examples of the split.

  Raises:
    ValueError: evaluation is asked for by steps and by epochs.
  """
  loop, deployment = options.loop, options.deployment
  examples_per_step = (options.data.batch_size * deployment.num_clones *
                       workers_per_step(deployment))
  steps_per_epoch = num_examples / examples_per_step
  ends = []
  if loop.max_number_of_steps is not None:
    ends.append(loop.max_number_of_steps)
  if loop.num_epochs is not None:
    # Epochs such as 0.1 are not exact in binary: 30.000000000000004 are 30.
    ends.append(max(1, math.ceil(
        round(loop.num_epochs * steps_per_epoch, 6))))
  if loop.eval_every and loop.eval_every_epochs:
    raise ValueError(
        '--eval_every=%d (steps) and --eval_every_epochs=%g exclude each '
        'other: leave one out.' % (loop.eval_every, loop.eval_every_epochs))
  eval_every = loop.eval_every
  if loop.eval_every_epochs:
    eval_every = max(1, round(loop.eval_every_epochs * steps_per_epoch))
  last_step = min(ends) if ends else None
  return RunLength(last_step, eval_every, examples_per_step, _head_steps(
      options.warm_start, steps_per_epoch, last_step))


def _head_steps(warm_start, steps_per_epoch, last_step):
  """Returns the steps at the start that train the last layers only."""
  if not warm_start.checkpoint_path:
    return 0
  steps = round(warm_start.head_epochs * steps_per_epoch)
  return steps if last_step is None else min(
      steps, int(round(warm_start.max_head_fraction * last_step, 6)))


def workers_per_step(deployment) -> int:
  """Returns how many workers' batches make one update of the weights."""
  if all_reduce.is_used(deployment):
    return len(deployment.worker_hosts)
  return deployment.replicas_to_aggregate if deployment.sync_replicas else 1


def describe(length: RunLength, num_examples: int) -> str:
  """Returns a sentence about the length of a run."""
  if length.last_step is None:
    return ('No end: give --max_number_of_steps or --num_epochs, or stop it '
            'with Ctrl-C.')
  return 'Ends at step %d, after %.4g epochs.%s' % (
      length.last_step,
      length.last_step * length.examples_per_step / num_examples,
      ' Until step %d only the last layers are trained.' % length.head_steps
      if length.head_steps else '')
