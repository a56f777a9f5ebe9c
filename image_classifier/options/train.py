"""Options of train_image_classifier.py."""
import dataclasses
from typing import Optional, Tuple

from image_classifier.options.data import TrainingData
from image_classifier.options.optimization import Optimizer
from image_classifier.options.optimization import Schedule
from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class Model:
  """Network."""
  model_name: str = flag('inception_v3', 'Name of the network.')
  weight_decay: float = flag(
      4e-5, 'Coefficient of the L2 regularisation.', at_least=0)
  train_image_size: Optional[int] = flag(
      None, "Side of the square training pictures, in pixels; the network's "
      'own if not given.', at_least=1)
  label_smoothing: float = flag(
      0.0, 'Share of the target spread over all classes.', at_least=0,
      at_most=1)
  loss: Optional[str] = flag(
      None, 'What is minimised: the cross-entropy of one class a picture '
      '(softmax) or of each class by itself (sigmoid), or a cross-entropy in '
      'which what is predicted well counts little (focal). If not given, '
      'softmax, but sigmoid for a dataset whose pictures have several classes.',
      choices=('softmax', 'sigmoid', 'focal'))
  focal_gamma: float = flag(
      2.0, 'How little that is in the focal loss; 0 for the cross-entropy.',
      at_least=0, only_with=('loss', ('focal',)))
  class_weights: Optional[str] = flag(
      None, 'How much each class counts: auto, by the inverse of its number of '
      'examples, or a CSV file with a line name,weight or id,weight for each '
      'class. All the same if not given.')
  batch_norm_decay: Optional[float] = flag(
      None, 'Decay of the moving averages that batch normalisation keeps for '
      'evaluation; that of the network if not given. A short training needs '
      'less, such as 0.9.', at_least=0, at_most=1)
  freeze_batch_norm: Optional[bool] = flag(
      None, 'Let batch normalisation use the averages it has and not update '
      'them: in all layers (true), in none (false), or, if not given, in the '
      'layers that trainable_scopes leaves out.')
  data_format: str = flag(
      'NHWC', 'Layout of pictures inside of the network. NCHW, for GPUs, is '
      'offered by the nasnet and pnasnet networks.',
      choices=('NHWC', 'NCHW'))
  moving_average_decay: Optional[float] = flag(
      None, 'Decay of the moving averages of the weights; none are kept if '
      'not given.', at_least=0, at_most=1)
  quantize_delay: int = flag(
      -1, 'Step at which fake quantisation starts (TensorFlow 1.15); negative '
      'for never.')


@dataclasses.dataclass(frozen=True)
class WarmStart:
  """Start from a checkpoint."""
  checkpoint_path: Optional[str] = flag(
      None, 'Checkpoint to take weights from: a directory, whose latest is '
      'taken, any of its files, or the archive (.tar.gz) it came in; ignored '
      'where train_dir already holds a checkpoint to go on from.')
  checkpoint_exclude_scopes: Tuple[str, ...] = flag(
      (), 'Scopes, separated by commas, whose variables are not taken from the '
      'checkpoint. Not given, all that fits is taken and the head, where it '
      'has another number of classes, is initialised anew.',
      only_beside=('checkpoint_path',))
  trainable_scopes: Tuple[str, ...] = flag(
      (), 'Scopes, separated by commas, whose variables are trained; all if '
      'not given.')
  ignore_missing_vars: bool = flag(
      False, 'Go on where the checkpoint lacks variables of the network.',
      only_beside=('checkpoint_path',))


@dataclasses.dataclass(frozen=True)
class Deployment:
  """Devices."""
  num_clones: int = flag(
      1, 'Copies of the network, one a device; their gradients are averaged.',
      at_least=1)
  clone_on_cpu: bool = flag(False, 'Put the clones on the CPU.')
  fp16: bool = flag(
      False, 'Compute in half precision what bears it, with a loss scaled so '
      'that small gradients count. It takes effect on GPUs of compute '
      'capability 7.0 or more.')
  xla: bool = flag(
      False, 'Compile the graph with XLA: slower to start, faster steps.')
  gpu_memory_growth: bool = flag(
      False, 'Take the memory of GPUs as it is needed, not all of it at once.')
  cpu_threads: Optional[int] = flag(
      None, 'Threads of TensorFlow on the CPU; all cores if not given. With 1 '
      'and --seed, two runs are equal to the last bit.', at_least=1)
  worker_hosts: Tuple[str, ...] = flag(
      (), 'HOST:PORT of each worker, separated by commas, to train with '
      'several processes; see "Several workers" in '
      'image_classifier/train/README.md.')
  ps_hosts: Tuple[str, ...] = flag(
      (), 'HOST:PORT of each parameter server, where the variables lie.')
  job_name: str = flag(
      'worker', 'What this process of the cluster is.',
      choices=('worker', 'ps'))
  task: int = flag(
      0, 'Index of this process among those of its job; worker 0 is the chief, '
      'which saves and logs.', at_least=0)
  master: str = flag(
      '', 'TensorFlow server to run on, where one runs already.')
  worker_replicas: int = flag(
      1, 'Number of workers; not needed with worker_hosts.', at_least=1)
  num_ps_tasks: int = flag(
      0, 'Number of parameter servers; not needed with ps_hosts.', at_least=0)
  sync_replicas: bool = flag(
      False, 'Average the gradients of several workers before each update; '
      'otherwise each worker updates the weights when it is ready.')
  replicas_to_aggregate: int = flag(
      1, 'Gradients averaged in one update. With fewer than there are workers '
      'those of the slowest are dropped.', at_least=1,
      only_with=('sync_replicas', (True,)))


@dataclasses.dataclass(frozen=True)
class Loop:
  """Course of the training."""
  train_dir: str = flag(
      '/tmp/tfmodel/', 'Directory of checkpoints, summaries and the log.')
  resume: str = flag(
      'auto', 'What to do with checkpoints in train_dir: go on from the '
      'latest, if there is one; start anew, moving the files of the earlier '
      'run to a sub-folder; or go on and stop where there is none.',
      choices=('auto', 'never', 'must'))
  max_number_of_steps: Optional[int] = flag(
      None, 'Step at which to stop; without it, on and on.', at_least=1)
  num_epochs: Optional[float] = flag(
      None, 'Passes over the split, by all clones together, after which to '
      'stop; with max_number_of_steps, what comes first.', above=0)
  log_every_n_steps: int = flag(
      10, 'Steps between two lines of progress.', at_least=1)
  save_summaries_secs: int = flag(
      600, 'Seconds between two summaries.', at_least=1)
  summarize_images: int = flag(
      0, 'Training pictures in each summary, as the network sees them.',
      at_least=0)
  save_interval_secs: int = flag(
      600, 'Seconds between two checkpoints.', at_least=1)
  max_checkpoints_to_keep: int = flag(
      5, 'Checkpoints kept; older ones are removed. 0 keeps all.', at_least=0)
  eval_every: int = flag(
      0, 'Steps between two evaluations during the training; each saves a '
      'checkpoint. 0 for none.', at_least=0)
  eval_every_epochs: float = flag(
      0.0, 'The same in passes over the split, such as 0.5.', at_least=0)
  eval_split: Optional[str] = flag(
      None, 'Split to evaluate; if not given, the first that the dataset has '
      'of validation, val and test.',
      only_beside=('eval_every', 'eval_every_epochs'))
  best_metric: Optional[str] = flag(
      None, 'Metric by which the best checkpoint is kept in train_dir/best, '
      'such as Accuracy, Recall_5, Macro_F1 or Loss; if not given, Accuracy, '
      'or Mean_Average_Precision where a picture has several labels.',
      only_beside=('eval_every', 'eval_every_epochs'))
  early_stopping_patience: int = flag(
      0, 'Evaluations without a better best_metric after which to stop; 0 for '
      'never.', at_least=0, only_beside=('eval_every', 'eval_every_epochs'))
  trace_every: int = flag(
      0, 'Steps between two timelines, train_dir/timeline-STEP.json, for '
      'chrome://tracing. 0 for none.', at_least=0)


@dataclasses.dataclass(frozen=True)
class Catalogue:
  """Instead of training."""
  list_models: bool = flag(False, 'List the networks.', alone=True)
  describe_model: Optional[str] = flag(
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
