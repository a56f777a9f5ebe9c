"""Which function makes probabilities of the logits."""
from image_classifier.runs import run_record

SOFTMAX = 'softmax'
SIGMOID = 'sigmoid'


def choose(option, checkpoint, dataset):
  """Returns 'softmax', shares that sum to 1, or 'sigmoid', each for itself.

  1. What is asked for.
  2. A checkpoint with the run.json of its training: what that minimised.
     Sigmoid for --loss=sigmoid and for pictures of several classes.
  3. Sigmoid for a dataset whose pictures have several classes.
  4. Softmax.

  Args:
    option: 'softmax', 'sigmoid' or None.
    checkpoint: the prefix of a checkpoint, or None.
    dataset: a `slim.dataset.Dataset`.
  """
  if option:
    return option
  record = checkpoint and run_record.of_checkpoint(checkpoint)
  if record:
    is_sigmoid = (record.get('multi_label')
                  or record['flags'].get('loss') == SIGMOID)
  else:
    is_sigmoid = getattr(dataset, 'multi_label', False)
  return SIGMOID if is_sigmoid else SOFTMAX
