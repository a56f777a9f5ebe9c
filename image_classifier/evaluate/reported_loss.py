"""Which loss an evaluation reports."""
from image_classifier.losses import classification as losses
from image_classifier.losses import numpy_losses
from image_classifier.runs import run_record


def choose(options, checkpoint, multi_label):
  """Returns the `numpy_losses.Loss` to report.

  1. The one of --loss and --focal_gamma, where --loss is given.
  2. The one of the training, by its run.json.
  3. What a training takes that is told nothing: sigmoid where pictures have
     several classes, otherwise softmax.

  Args:
    options: an `options.Evaluation`.
    checkpoint: the prefix of the checkpoint; None if there is none.
    multi_label: whether pictures have several classes.

  Raises:
    ValueError: --loss=softmax is for pictures of one class.
  """
  kind, gamma = options.loss, options.focal_gamma
  record = run_record.of_checkpoint(checkpoint) if checkpoint else None
  if kind is None and record:
    kind = record['flags'].get('loss') or losses.choose(
        None, bool(record.get('multi_label')))
    gamma = record['flags'].get('focal_gamma', gamma)
    if kind == 'softmax' and multi_label:
      # It was trained on other data.
      kind = None
  return numpy_losses.Loss(
      losses.choose(kind, multi_label), gamma, multi_label)
