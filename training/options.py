"""The options of every program: one frozen dataclass a component.

A field's name is the flag's name and its metadata the flag's help and rules
(see flags.py). Library code and tests make these objects directly. Nothing
but the standard library is imported, so that --help answers at once.
"""
import dataclasses
from typing import Optional, Tuple

_CLUSTER_PENDING = (
    'workers and parameter servers are not supported yet; several devices of '
    'one machine are: --num_clones')
_QUANTIZE_PENDING = 'quantisation-aware training is not supported yet'


def _flag(default, text, **rules):
  return dataclasses.field(default=default, metadata=dict(rules, help=text))


@dataclasses.dataclass(frozen=True)
class Data:
  """Data."""
  dataset_name: str = _flag('imagenet', 'Name of the dataset.')
  dataset_split_name: str = _flag('train', 'Split to read.')
  dataset_dir: Optional[str] = _flag(
      None, 'Directory of the converted records.', required=True)
  batch_size: int = _flag(32, 'Examples a clone and step.', at_least=1)
  labels_offset: int = _flag(
      0, 'Subtracted from every label and from the number of classes; 1 for '
      'VGG and ResNet V1 on ImageNet, whose checkpoints have no background '
      'class.', at_least=0)
  preprocessing_name: Optional[str] = _flag(
      None, 'Preprocessing to use; the one of the network if not given.')
  use_grayscale: bool = _flag(False, 'Turn pictures to one grey channel.')
  num_preprocessing_threads: int = _flag(
      4, 'Pictures decoded and preprocessed at the same time.', at_least=1)


@dataclasses.dataclass(frozen=True)
class TrainingData(Data):
  """Data."""
  num_readers: int = _flag(4, 'Record files read at the same time.', at_least=1)
  shuffle_buffer: int = _flag(
      4096, 'Records held in memory to draw from at random; the files are '
      'shuffled too.', at_least=1)
  seed: Optional[int] = _flag(
      None, 'Seed of everything random: order, preprocessing, initial weights '
      'and dropout. Not set: another order and other weights every time.')


@dataclasses.dataclass(frozen=True)
class EvaluationData(Data):
  """Data."""
  dataset_split_name: str = _flag('test', 'Split to evaluate.')
  batch_size: int = _flag(100, 'Examples a step.', at_least=1)


@dataclasses.dataclass(frozen=True)
class Model:
  """Network."""
  model_name: str = _flag('inception_v3', 'Name of the network.')
  weight_decay: float = _flag(
      4e-5, 'Coefficient of the L2 regularisation.', at_least=0)
  train_image_size: Optional[int] = _flag(
      None, 'Side of the square training pictures, in pixels; the network\'s '
      'own if not given.', at_least=1)
  label_smoothing: float = _flag(
      0.0, 'Share of the target spread over all classes.', at_least=0,
      at_most=1)
  moving_average_decay: Optional[float] = _flag(
      None, 'Decay of the moving averages of the weights; none are kept if '
      'not given.', at_least=0, at_most=1)
  quantize_delay: int = _flag(
      -1, 'Step at which fake quantisation starts; negative for never.',
      pending=_QUANTIZE_PENDING)


@dataclasses.dataclass(frozen=True)
class Optimizer:
  """Optimiser."""
  optimizer: str = _flag('rmsprop', 'Optimiser.', choices=(
      'adadelta', 'adagrad', 'adam', 'ftrl', 'momentum', 'sgd', 'rmsprop'))
  opt_epsilon: Optional[float] = _flag(
      None, 'Epsilon of adadelta, adam and rmsprop; 1.0 for rmsprop and 1e-8 '
      'for the others if not given.', above=0,
      only_with=('optimizer', ('adadelta', 'adam', 'rmsprop')))
  adadelta_rho: float = _flag(
      0.95, 'Decay rate of adadelta.', only_with=('optimizer', ('adadelta',)))
  adagrad_initial_accumulator_value: float = _flag(
      0.1, 'First value of the accumulators of adagrad.', above=0,
      only_with=('optimizer', ('adagrad',)))
  adam_beta1: float = _flag(
      0.9, 'Decay of the first moment of adam.',
      only_with=('optimizer', ('adam',)))
  adam_beta2: float = _flag(
      0.999, 'Decay of the second moment of adam.',
      only_with=('optimizer', ('adam',)))
  ftrl_learning_rate_power: float = _flag(
      -0.5, 'Learning rate power of ftrl.', at_most=0,
      only_with=('optimizer', ('ftrl',)))
  ftrl_initial_accumulator_value: float = _flag(
      0.1, 'First value of the accumulators of ftrl.', at_least=0,
      only_with=('optimizer', ('ftrl',)))
  ftrl_l1: float = _flag(
      0.0, 'L1 strength of ftrl.', at_least=0,
      only_with=('optimizer', ('ftrl',)))
  ftrl_l2: float = _flag(
      0.0, 'L2 strength of ftrl.', at_least=0,
      only_with=('optimizer', ('ftrl',)))
  momentum: float = _flag(
      0.9, 'Momentum of the momentum optimiser.',
      only_with=('optimizer', ('momentum',)))
  rmsprop_momentum: float = _flag(
      0.9, 'Momentum of rmsprop.', only_with=('optimizer', ('rmsprop',)))
  rmsprop_decay: float = _flag(
      0.9, 'Decay of the squared gradients of rmsprop.',
      only_with=('optimizer', ('rmsprop',)))


@dataclasses.dataclass(frozen=True)
class Schedule:
  """Learning rate."""
  learning_rate_decay_type: str = _flag(
      'exponential', 'How the learning rate falls.',
      choices=('fixed', 'exponential', 'polynomial'))
  learning_rate: float = _flag(0.01, 'First learning rate.', above=0)
  end_learning_rate: float = _flag(
      1e-4, 'Last learning rate.', at_least=0,
      only_with=('learning_rate_decay_type', ('polynomial',)))
  learning_rate_decay_factor: float = _flag(
      0.94, 'Factor of each decay.', above=0,
      only_with=('learning_rate_decay_type', ('exponential',)))
  num_epochs_per_decay: float = _flag(
      2.0, 'Epochs of one clone between two decays, or until the end of the '
      'polynomial.', above=0,
      only_with=('learning_rate_decay_type', ('exponential', 'polynomial')))
  warmup_epochs: float = _flag(
      0.0, 'Epochs over which the learning rate first rises from 0.',
      at_least=0)


@dataclasses.dataclass(frozen=True)
class WarmStart:
  """Start from a checkpoint."""
  checkpoint_path: Optional[str] = _flag(
      None, 'Checkpoint (file or directory) to take weights from; ignored '
      'where train_dir already holds a checkpoint to go on from.')
  checkpoint_exclude_scopes: Tuple[str, ...] = _flag(
      (), 'Scopes, separated by commas, whose variables are not taken from the '
      'checkpoint.')
  trainable_scopes: Tuple[str, ...] = _flag(
      (), 'Scopes, separated by commas, whose variables are trained; all if '
      'not given.')
  ignore_missing_vars: bool = _flag(
      False, 'Go on where the checkpoint lacks variables of the network.')


@dataclasses.dataclass(frozen=True)
class Deployment:
  """Devices."""
  num_clones: int = _flag(
      1, 'Copies of the network, one a device; their gradients are averaged.',
      at_least=1)
  clone_on_cpu: bool = _flag(False, 'Put the clones on the CPU.')
  master: str = _flag('', 'TensorFlow server to run on; this process if empty.')
  worker_replicas: int = _flag(
      1, 'Number of workers.', pending=_CLUSTER_PENDING)
  num_ps_tasks: int = _flag(
      0, 'Number of parameter servers.', pending=_CLUSTER_PENDING)
  task: int = _flag(0, 'Index of this worker.', pending=_CLUSTER_PENDING)
  sync_replicas: bool = _flag(
      False, 'Whether workers update the weights together.',
      pending=_CLUSTER_PENDING)
  replicas_to_aggregate: int = _flag(
      1, 'Gradients averaged in one update of several workers.',
      pending=_CLUSTER_PENDING)


@dataclasses.dataclass(frozen=True)
class Loop:
  """Course of the training."""
  train_dir: str = _flag(
      '/tmp/tfmodel/', 'Directory of checkpoints, summaries and the log.')
  max_number_of_steps: Optional[int] = _flag(
      None, 'Step at which to stop; without it, on and on.', at_least=1)
  log_every_n_steps: int = _flag(
      10, 'Steps between two lines of progress.', at_least=1)
  save_summaries_secs: int = _flag(
      600, 'Seconds between two summaries.', at_least=1)
  save_interval_secs: int = _flag(
      600, 'Seconds between two checkpoints.', at_least=1)
  max_checkpoints_to_keep: int = _flag(
      5, 'Checkpoints kept; older ones are removed. 0 keeps all.', at_least=0)


@dataclasses.dataclass(frozen=True)
class Catalogue:
  """Instead of training."""
  list_models: bool = _flag(False, 'List the networks.', alone=True)
  describe_model: Optional[str] = _flag(
      None, 'Describe a network: size, parameters, multiply-adds, scopes, '
      'preprocessing, end points.', alone=True)


@dataclasses.dataclass(frozen=True)
class Train:
  """Options of train_image_classifier.py."""
  loop: Loop = Loop()
  data: TrainingData = TrainingData()
  model: Model = Model()
  warm_start: WarmStart = WarmStart()
  optimizer: Optimizer = Optimizer()
  schedule: Schedule = Schedule()
  deployment: Deployment = Deployment()
  catalogue: Catalogue = Catalogue()


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """Evaluation."""
  checkpoint_path: str = _flag(
      '/tmp/tfmodel/', 'Checkpoint file, or directory whose latest is taken.')
  eval_dir: str = _flag('/tmp/tfmodel/', 'Directory of the summaries.')
  model_name: str = _flag('inception_v3', 'Name of the network.')
  eval_image_size: Optional[int] = _flag(
      None, 'Side of the square pictures, in pixels; the network\'s own if '
      'not given.', at_least=1)
  max_num_batches: Optional[int] = _flag(
      None, 'Stop after so many batches; by default every example is counted '
      'once.', at_least=1)
  moving_average_decay: Optional[float] = _flag(
      None, 'If given, the moving averages of the weights are evaluated.',
      at_least=0, at_most=1)
  master: str = _flag('', 'TensorFlow server to run on; this process if empty.')
  quantize: bool = _flag(
      False, 'Insert fake quantisation.', pending=_QUANTIZE_PENDING)


@dataclasses.dataclass(frozen=True)
class Evaluate:
  """Options of eval_image_classifier.py."""
  evaluation: Evaluation = Evaluation()
  data: EvaluationData = EvaluationData()


@dataclasses.dataclass(frozen=True)
class Export:
  """Options of export_inference_graph.py."""
  output_file: str = _flag(
      '', 'File for the GraphDef of the architecture, without weights.')
  checkpoint_path: Optional[str] = _flag(
      None, 'Checkpoint (file or directory). With it, the trained network is '
      'written to output_dir.')
  output_dir: Optional[str] = _flag(
      None, 'Where frozen_inference_graph.pb, labels.txt and model.json go '
      'when there is a checkpoint_path; the folder of output_file if not '
      'given.')
  overwrite: bool = _flag(False, 'Replace files that exist.')
  model_name: str = _flag('inception_v3', 'Name of the network.')
  preprocessing_name: Optional[str] = _flag(
      None, 'Preprocessing noted in model.json; the one of the network if not '
      'given.')
  is_training: bool = _flag(False, 'Export the graph used in training.')
  image_size: Optional[int] = _flag(
      None, 'Side of the square pictures, in pixels; the network\'s own if '
      'not given.', at_least=1)
  batch_size: Optional[int] = _flag(
      None, 'Size of a batch; any size if not given.', at_least=1)
  dataset_name: str = _flag(
      'imagenet', 'Dataset that gives the number and names of the classes.')
  dataset_dir: str = _flag('', 'Directory of the converted records.')
  labels_offset: int = _flag(
      0, 'Subtracted from the number of classes.', at_least=0)
  moving_average_decay: Optional[float] = _flag(
      None, 'If given, the moving averages of the weights are exported.',
      at_least=0, at_most=1)
  is_video_model: bool = _flag(
      False, 'The network takes videos, [batch, frames, height, width, '
      'channels].')
  num_frames: Optional[int] = _flag(
      None, 'Frames of a video.', at_least=1,
      only_with=('is_video_model', (True,)))
  use_grayscale: bool = _flag(False, 'Pictures have one grey channel.')
  write_text_graphdef: bool = _flag(
      False, 'Write output_file as text.')
  quantize: bool = _flag(
      False, 'Insert fake quantisation.', pending=_QUANTIZE_PENDING)


@dataclasses.dataclass(frozen=True)
class Classify:
  """Options of classify_image.py."""
  images: Tuple[str, ...] = _flag(
      (), 'Picture files and folders of them.', words=True, required=True)
  graph: Optional[str] = _flag(
      None, 'The frozen_inference_graph.pb of an export; model.json and '
      'labels.txt are read beside it.', required=True)
  top_k: int = _flag(5, 'Classes printed a picture.', at_least=1)
  json: Optional[str] = _flag(None, 'File for the results, JSON.')
  sheet: Optional[str] = _flag(
      None, 'PNG file that shows the pictures with their classes.')
