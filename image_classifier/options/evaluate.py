"""Options of eval_image_classifier.py."""
import dataclasses
from typing import Optional

from image_classifier.options.data import EvaluationData
from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """Evaluation."""
  checkpoint_path: str = flag(
      '/tmp/tfmodel/', 'Checkpoint file, or directory whose latest is taken.')
  eval_dir: str = flag(
      '/tmp/tfmodel/', 'Directory of the summaries; empty for none.')
  model_name: str = flag('inception_v3', 'Name of the network.')
  eval_image_size: Optional[int] = flag(
      None, "Side of the square pictures, in pixels; the network's own if "
      'not given.', at_least=1)
  max_num_batches: Optional[int] = flag(
      None, 'Stop after so many batches; by default every example is counted '
      'once.', at_least=1)
  moving_average_decay: Optional[float] = flag(
      None, 'If given, the moving averages of the weights are evaluated.',
      at_least=0, at_most=1)
  loss: Optional[str] = flag(
      None, 'Loss to report, of the labels as they are: without label '
      'smoothing, class weights, auxiliary heads and regularisation. If not '
      'given, the one of the training, read from run.json beside the '
      'checkpoint; without that softmax, but sigmoid where pictures have '
      'several classes.', choices=('softmax', 'sigmoid', 'focal'))
  focal_gamma: float = flag(
      2.0, 'The gamma of the focal loss.', at_least=0,
      only_with=('loss', ('focal',)))
  master: str = flag('', 'TensorFlow server to run on; this process if empty.')
  num_clones: int = flag(
      1, "Copies of the network, one a device, that share each step's "
      'examples.', at_least=1)
  clone_on_cpu: bool = flag(False, 'Put the clones on the CPU.')
  quantize: bool = flag(
      False, 'The network was trained with --quantize_delay: insert the fake '
      'quantisation it learnt (TensorFlow 1.15).')


@dataclasses.dataclass(frozen=True)
class Results:
  """Files of results."""
  results_file: Optional[str] = flag(
      None, 'JSON file for all metrics, of every class too.')
  predictions_file: Optional[str] = flag(
      None, 'File for the prediction of every example; .csv or .jsonl.')
  top_k: int = flag(
      5, 'Classes in predictions_file for each example.', at_least=1)
  confusion_matrix: Optional[str] = flag(
      None, 'CSV file for the counts of examples by label and prediction; a '
      'picture of them is drawn beside it, ending in .png.')
  overwrite: bool = flag(
      False, 'Replace files of results that exist; without it they are an '
      'error.')


@dataclasses.dataclass(frozen=True)
class Following:
  """Evaluation beside a training."""
  eval_interval_secs: Optional[int] = flag(
      None, 'Follow a training: look into the directory checkpoint_path '
      'every so many seconds and evaluate each new checkpoint, until the '
      'training has ended. Once, if not given.', at_least=1)
  eval_timeout_secs: Optional[int] = flag(
      None, 'Stop following if so many seconds bring no new checkpoint.',
      at_least=1)
  max_number_of_steps: Optional[int] = flag(
      None, 'Step at which the training ends; if not given, it is read from '
      'run.json, where the training wrote one.', at_least=1)


@dataclasses.dataclass(frozen=True)
class BatchNorm:
  """Statistics of batch normalisation."""
  diagnose: bool = flag(
      True, 'Where accuracy is low, try the first two batches with their own '
      'statistics and say so if that is far better.')
  recalibrate_batch_norm: Optional[int] = flag(
      None, 'Replace the moving statistics by their means over so many '
      'batches of recalibration_split; the checkpoint stays as it is.',
      at_least=1)
  recalibration_split: str = flag('train', 'Split of these batches.')
  recalibrated_checkpoint: Optional[str] = flag(
      None, 'Checkpoint to write with the weights as evaluated, under a name '
      'like DIR/model.ckpt-1000; none is written if not given.')


@dataclasses.dataclass(frozen=True)
class Evaluate:
  """Options of eval_image_classifier.py."""
  evaluation: Evaluation = Evaluation()
  data: EvaluationData = EvaluationData()
  results: Results = Results()
  following: Following = Following()
  batch_norm: BatchNorm = BatchNorm()
