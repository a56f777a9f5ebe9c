"""Options of eval_image_classifier.py."""
import dataclasses
import functools
from typing import Optional, Tuple

from image_classifier.options.data import EvaluationData
from slim_common.flags import flag

_device = functools.partial(flag, group='Devices')


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """Model and metrics."""
  checkpoint_path: str = flag(
      '/tmp/tfmodel/', 'Checkpoint to evaluate: a directory (its latest '
      'checkpoint) or a file.')
  checkpoint_scope: Optional[str] = flag(
      None, 'Scope of the network in the checkpoint, if its variables have '
      'other names: in front of them, or in the place of their first part.',
      metavar='SCOPE')
  eval_dir: str = flag(
      '/tmp/tfmodel/', 'Directory of the summaries. An empty value writes '
      'none.')
  model_name: str = flag(
      'inception_v3', 'Name of the network; train_image_classifier.py '
      '--list_models lists them. The run.json of a training replaces the '
      'default.')
  network_variant: str = flag(
      'slim', 'Variant of the network that imported weights need, see '
      'nets/variants.py. The run.json beside the checkpoint replaces the '
      'default.')
  eval_image_size: Optional[int] = flag(
      None, 'Height and width of the images, in pixels. Default: that of the '
      "training (its run.json); otherwise the network's own.", at_least=1)
  max_num_batches: Optional[int] = flag(
      None, 'Number of batches to evaluate. Default: each example once.',
      at_least=1)
  moving_average_decay: Optional[float] = flag(
      None, 'Decay of the moving averages of the weights, which are evaluated '
      'if it is given. Default: those of the training (its run.json), which 0 '
      'turns off; otherwise the weights themselves.', at_least=0, at_most=1)
  loss: Optional[str] = flag(
      None, 'Loss to report, without label smoothing, class weights, auxiliary '
      'losses and regularization. Default: that of the training (its '
      'run.json); otherwise softmax, or sigmoid if images have several labels.',
      choices=('softmax', 'sigmoid', 'focal'))
  focal_gamma: float = flag(
      2.0, 'Exponent of the focal loss.', at_least=0,
      only_if=('loss', ('focal',)))
  embedding_size: Optional[int] = flag(
      None, 'Size of the output of a network that was trained with a loss of '
      'embeddings. Default: that of the training (its run.json).', at_least=1)
  normalize_embedding: bool = flag(
      False, 'Whether embeddings have length 1. The run.json of a training '
      'replaces the default.', only_if_set=('embedding_size',))
  tasks: Tuple[str, ...] = flag(
      (), 'Tasks that the network has heads for, of a dataset of several. '
      'Default: those of the training (its run.json); otherwise all.',
      metavar='TASK,...')
  gallery_split: str = flag(
      'train', 'Split that holds the images among which the nearest to each '
      'image is looked for, for embeddings. An image is not compared with '
      'itself.', metavar='SPLIT')
  master: str = _device(
      '', 'Address of a TensorFlow server that already runs. Default: this '
      'process.')
  num_clones: int = _device(
      1, 'Number of copies of the network, one per GPU, that evaluate batches '
      'in parallel.', at_least=1)
  clone_on_cpu: bool = _device(False, 'Whether to place the clones on the CPU.')
  quantize: bool = flag(
      False, 'Whether the network was trained with --quantize_delay: inserts '
      'fake quantization (TensorFlow 1.15 only).')


@dataclasses.dataclass(frozen=True)
class Results:
  """Result files."""
  results_file: Optional[str] = flag(
      None, 'JSON file of all metrics, including those per class.')
  predictions_file: Optional[str] = flag(
      None, 'File of the predictions, one line per example; its name ends with '
      '.csv or .jsonl.')
  top_k: int = flag(
      5, 'Number of classes per example in --predictions_file.', at_least=1)
  confusion_matrix: Optional[str] = flag(
      None, 'CSV file of the number of examples by label and prediction. A '
      'plot is written beside it, as .png.', metavar='FILE')
  mistakes: Optional[str] = flag(
      None, 'PNG file of the mistakes that the network is surest of: image, '
      'label, predicted class, probabilities.', metavar='FILE')
  precision_recall: Optional[str] = flag(
      None, 'PNG file of the precision-recall curve of each class.',
      metavar='FILE')
  embeddings_dir: Optional[str] = flag(
      None, 'Directory of the values of --end_points: embeddings.npz, and '
      "files for TensorBoard's projector, with the images.")
  end_points: Tuple[str, ...] = flag(
      (), 'End points of the network to save in --embeddings_dir; '
      'train_image_classifier.py --describe_model lists them.',
      metavar='NAME,...', only_if_set=('embeddings_dir',))
  overwrite: bool = flag(
      False, 'Whether to replace existing files; otherwise they are an error.')


@dataclasses.dataclass(frozen=True)
class Exported:
  """Exported networks."""
  graph: Optional[str] = flag(
      None, 'Exported network to evaluate instead of a checkpoint: a '
      'directory, a frozen_inference_graph.pb, saved_model, .tflite or .onnx '
      'file, with model.json and labels.txt beside it, which replace the flags '
      'of the model.', metavar='PATH')
  compare: bool = flag(
      False, 'Whether to evaluate every form in the directory --graph, and the '
      'checkpoint that was exported if it is there or in --checkpoint_path, '
      'and to print their accuracy, agreement and time per image.')


@dataclasses.dataclass(frozen=True)
class Following:
  """Evaluation of each new checkpoint."""
  eval_interval_secs: Optional[int] = flag(
      None, 'Time between two looks for a new checkpoint in '
      '--checkpoint_path, in seconds; each one is evaluated until the training '
      'has ended. Default: evaluate once.', at_least=1)
  eval_timeout_secs: Optional[int] = flag(
      None, 'Maximum time to wait for a new checkpoint, in seconds. Default: '
      'no limit.', at_least=1)
  max_number_of_steps: Optional[int] = flag(
      None, 'Last step of the training. Default: that in its run.json.',
      at_least=1)


@dataclasses.dataclass(frozen=True)
class BatchNorm:
  """Batch normalization."""
  diagnose: bool = flag(
      True, 'Whether to repeat the first two batches with batch statistics if '
      'the accuracy is low, and to report a large difference.')
  recalibrate_batch_norm: Optional[int] = flag(
      None, 'Number of batches of --recalibration_split over which the moving '
      'averages are computed anew before the evaluation. The checkpoint does '
      'not change. Default: no recalibration.', at_least=1)
  recalibration_split: str = flag(
      'train', 'Split that recalibration reads.', metavar='SPLIT')
  recalibrated_checkpoint: Optional[str] = flag(
      None, 'Checkpoint to write with the weights as evaluated, such as '
      'DIR/model.ckpt-1000. Default: none.', metavar='PATH')


@dataclasses.dataclass(frozen=True)
class Evaluate:
  """Options of eval_image_classifier.py."""
  evaluation: Evaluation = Evaluation()
  data: EvaluationData = EvaluationData()
  results: Results = Results()
  exported: Exported = Exported()
  following: Following = Following()
  batch_norm: BatchNorm = BatchNorm()

  most_used = (
      'checkpoint_path', 'model_name', 'dataset_name', 'dataset_dir',
      'dataset_split_name', 'eval_dir', 'batch_size', 'labels_offset',
      'moving_average_decay', 'graph', 'compare', 'results_file',
      'predictions_file', 'confusion_matrix', 'mistakes', 'eval_interval_secs')
