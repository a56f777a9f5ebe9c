"""The choice of the loss that an evaluation reports."""
from image_classifier.losses import classification as losses
from image_classifier.losses import numpy_losses
from image_classifier.options import METRIC_LOSSES
from image_classifier.runs import run_record


def choose(options, checkpoint, multi_label):
  """Returns the `numpy_losses.Loss` to report.

  1. With --loss: that loss, and --focal_gamma.
  2. Otherwise the loss of the training, by its run.json.
  3. Otherwise the default of a training: sigmoid for a multi-label dataset,
     else softmax.

  Args:
    options: an `options.Evaluation`.
    checkpoint: prefix of the checkpoint, or None.
    multi_label: whether images have several labels.

  Raises:
    ValueError: --loss=softmax for a multi-label dataset.
  """
  kind, gamma = options.loss, options.focal_gamma
  record = run_record.of_checkpoint(checkpoint) if checkpoint else None
  if kind is None and record:
    kind = record['flags'].get('loss') or losses.choose(
        None, bool(record.get('multi_label')))
    gamma = record['flags'].get('focal_gamma', gamma)
    is_other = kind == 'softmax' and multi_label  # Trained on other data.
    kind = None if is_other else kind
  if kind in METRIC_LOSSES:
    # Distances to the nearest of each class take the place of logits.
    kind = None
  return numpy_losses.Loss(
      losses.choose(kind, multi_label), gamma, multi_label)
