"""Options of train_image_classifier.py."""
import dataclasses
import functools
from typing import Optional, Tuple

from image_classifier.options import presets
from image_classifier.options.data import METRIC_LOSSES
from image_classifier.options.data import TrainingData
from image_classifier.options.optimization import Optimizer
from image_classifier.options.optimization import Schedule
from slim_common.flags import flag

_loss = functools.partial(flag, group='Loss')
_embedding = functools.partial(
    flag, group='Embeddings', only_if=('loss', METRIC_LOSSES))
_cluster = functools.partial(flag, group='Distributed training')
_evaluation = functools.partial(flag, group='Evaluation during training')
_if_evaluated = functools.partial(
    _evaluation, only_if_set=('eval_every', 'eval_every_epochs'))


@dataclasses.dataclass(frozen=True)
class Model:
  """Model."""
  model_name: str = flag(
      'inception_v3', 'Name of the network; --list_models lists them. The '
      'run.json beside --checkpoint_path replaces the default.')
  network_variant: str = flag(
      'slim', 'Variant of the network that imported weights need, see '
      'nets/variants.py. The run.json beside the checkpoint replaces the '
      'default.')
  train_image_size: Optional[int] = flag(
      None, "Height and width of the training images, in pixels. Default: the "
      "network's own; with --checkpoint_path, that of its run.json.",
      at_least=1)
  batch_norm_decay: Optional[float] = flag(
      None, 'Decay of the moving averages of batch normalization, which '
      "evaluation uses. Default: the network's own, or lower in a training of "
      'fewer than 10 / (1 - decay) steps.', at_least=0, at_most=1)
  freeze_batch_norm: Optional[bool] = flag(
      None, 'Whether batch normalization uses its moving averages in training '
      'and does not update them. Default: only in layers that '
      '--trainable_scopes excludes.')
  batch_norm_statistics: Optional[str] = flag(
      None, 'Statistics of batch normalization with several clones. '
      'first_clone: each clone its own, and evaluation those of the first. '
      'all_clones: each clone its own, and evaluation those of all in turn. '
      'synchronized: those of the joined batch, of all workers too if '
      'gradients are all-reduced. Default: first_clone.',
      choices=('first_clone', 'all_clones', 'synchronized'))
  sync_batch_norm: bool = flag(
      False, 'The same as --batch_norm_statistics=synchronized.')
  data_format: str = flag(
      'NHWC', 'Layout of the tensors in the network. NCHW, for GPUs, is '
      'offered by all but cifarnet, lenet, i3d and s3dg.',
      choices=('NHWC', 'NCHW'))
  moving_average_decay: Optional[float] = flag(
      None, 'Decay of the moving averages of the weights. Default: no moving '
      'averages.', at_least=0, at_most=1)
  quantize_delay: int = flag(
      -1, 'Step at which fake quantization starts (TensorFlow 1.15 only). A '
      'negative number disables it.')
  weight_decay: float = _loss(
      4e-5, 'Coefficient of the L2 regularization.', at_least=0)
  label_smoothing: float = _loss(
      0.0, 'Fraction of the target distribution that is spread evenly over all '
      'classes.', at_least=0, at_most=1)
  loss: Optional[str] = _loss(
      None, 'Loss: softmax cross-entropy, sigmoid cross-entropy, or focal, '
      'a cross-entropy weighted by (1 - p)^gamma; the others train an '
      'embedding, in which images of one class are near to each other. '
      'Default: softmax; sigmoid if the images of the dataset have several '
      'labels.', choices=('softmax', 'sigmoid', 'focal') + METRIC_LOSSES)
  focal_gamma: float = _loss(
      2.0, 'Exponent of the focal loss: larger values give less weight to '
      'examples that are predicted well, 0 gives the cross-entropy.',
      at_least=0, only_if=('loss', ('focal',)))
  class_weights: Optional[str] = _loss(
      None, 'Weights of the classes in the loss: auto (the inverse of the '
      'number of examples) or a CSV file with one line name,weight or '
      'id,weight per class. Default: equal weights.', metavar='FILE|auto')
  tasks: Tuple[str, ...] = _loss(
      (), 'Tasks with a head each on the network, and the weights of their '
      'losses, for a dataset whose images have labels of several tasks. '
      'Default: all tasks, of weight 1.', metavar='TASK:WEIGHT,...')
  task_weighting: str = _loss(
      'fixed', 'Weights of the losses of several tasks. fixed: those of '
      '--tasks. uncertainty: these times exp(-s), with an s per task that is '
      'trained (Kendall et al., arXiv:1705.07115).',
      choices=('fixed', 'uncertainty'))
  task_schedule: str = _loss(
      'joint', 'Which of several tasks a step trains: all (joint), one after '
      'the other (alternating), or each for a number of steps in a row, such '
      'as 2,1.', metavar='joint|alternating|N,N,...')
  positive_weights: Optional[str] = _loss(
      None, 'Weights of a yes in the losses of labels that are yes or no: auto '
      '(the number of noes for each yes), one number, or a CSV file with lines '
      'name,weight or id,weight. Default: 1.', metavar='FILE|auto|NUMBER')
  embedding_size: int = _embedding(
      64, 'Size of the embedding, the output of the network.', at_least=1)
  normalize_embedding: bool = _embedding(
      False, 'Whether embeddings have length 1.')
  margin: float = _embedding(
      0.5, 'Distance by which different classes are to be farther apart than '
      'equal ones (triplets; of triplet_semihard a difference of squared '
      'distances), or apart at all (contrastive).', above=0)
  batch_all_steps: int = flag(
      0, 'Number of first steps with the loss triplet_batch_all, which '
      'collapses less easily.', at_least=0, group='Embeddings',
      only_if=('loss', ('triplet_batch_hard',)))


@dataclasses.dataclass(frozen=True)
class WarmStart:
  """Fine-tuning."""
  preset: Optional[str] = flag(
      None, 'Set of values for the flags that are not given. finetune: the '
      'last layers first, then all; momentum, a cosine with a warm-up, gentle '
      'augmentation, and the best of the evaluations after each epoch.',
      choices=tuple(presets.PRESETS))
  source: Optional[str] = flag(
      None, 'Directory with one subdirectory of images per class, or what else '
      'download_and_convert_data.py takes as image_folder. It is converted to '
      'TRAIN_DIR-data; the trained network is evaluated, and exported to '
      'TRAIN_DIR-export.', metavar='IMAGES', standalone=True)
  head_epochs: float = flag(
      0.0, 'Number of passes over the split at the start in which only the '
      'last layers are trained, those whose width is the number of classes.',
      at_least=0, only_if_set=('checkpoint_path',))
  max_head_fraction: float = flag(
      1.0, 'Part of the training that --head_epochs may take at most, so that '
      'a short one has steps left for all layers.', at_least=0, at_most=1,
      only_if_set=('head_epochs',))
  new_head: str = flag(
      'random', 'What last layers that are not loaded start with: the initial '
      'weights of the network (random), or zeros, which add no noise to what '
      'is learned from few images. Embeddings always start at random.',
      choices=('random', 'zeros'), only_if_set=('checkpoint_path',))
  checkpoint_path: Optional[str] = flag(
      None, 'Checkpoint that initializes the weights: a directory (its latest '
      'checkpoint), any file of a checkpoint, or a .tar.gz archive of one. '
      'Ignored if --train_dir holds a checkpoint to resume from.')
  checkpoint_exclude_scopes: Tuple[str, ...] = flag(
      (), 'Scopes whose variables are not restored from the checkpoint. '
      'Default: none; the last layers are excluded if their number of classes '
      'differs.', metavar='SCOPE,...', only_if_set=('checkpoint_path',))
  checkpoint_scope: Optional[str] = flag(
      None, 'Scope of the network in the checkpoint, if its variables have '
      'other names: in front of them, or in the place of their first part.',
      metavar='SCOPE',
      only_if_set=('checkpoint_path',))
  adapt_first_convolution: bool = flag(
      False, 'Whether images of 1 or 4 channels start from the first '
      'convolution of a checkpoint for 3: the sum of its channels, or the '
      'three and their mean.', only_if_set=('checkpoint_path',))
  trainable_scopes: Tuple[str, ...] = flag(
      (), 'Scopes whose variables are trained. Default: all.',
      metavar='SCOPE,...')
  ignore_missing_vars: bool = flag(
      False, 'Whether variables may be missing from the checkpoint; they are '
      'then initialized as in training from scratch.',
      only_if_set=('checkpoint_path',))


@dataclasses.dataclass(frozen=True)
class Deployment:
  """Devices."""
  num_clones: int = flag(
      1, 'Number of copies of the network, one per GPU, whose gradients are '
      'averaged.', at_least=1)
  clone_on_cpu: bool = flag(False, 'Whether to place the clones on the CPU.')
  fp16: bool = flag(
      False, 'Whether to train in mixed precision with loss scaling. Needs a '
      'GPU of compute capability 7.0 or higher.')
  xla: bool = flag(
      False, 'Whether to compile the graph with XLA, which starts more slowly '
      'and makes steps faster.')
  gpu_memory_growth: bool = flag(
      False, 'Whether to allocate GPU memory as needed, not all of it at '
      'start.')
  cpu_threads: Optional[int] = flag(
      None, 'Number of CPU threads of TensorFlow. With 1 and --seed, runs are '
      'identical to the last bit. Default: number of cores.', at_least=1)
  worker_hosts: Tuple[str, ...] = _cluster(
      (), 'Addresses of the workers, which average their gradients unless '
      'there are --ps_hosts. See deployment/README.md.',
      metavar='HOST:PORT,...')
  ps_hosts: Tuple[str, ...] = _cluster(
      (), 'Addresses of parameter servers, which hold the variables for '
      'workers that update them independently.',
      metavar='HOST:PORT,...')
  job_name: str = _cluster(
      'worker', 'Job of this process in the cluster.', choices=('worker', 'ps'))
  task: int = _cluster(
      0, 'Index of this process in its job. Worker 0 is the chief, which saves '
      'checkpoints and writes the logs.', at_least=0)
  master: str = _cluster(
      '', 'Address of a TensorFlow server that already runs. Default: this '
      'process.')
  worker_replicas: int = _cluster(
      1, 'Number of workers. Not needed with --worker_hosts.', at_least=1)
  num_ps_tasks: int = _cluster(
      0, 'Number of parameter servers. Not needed with --ps_hosts.', at_least=0)
  cluster_timeout_secs: int = _cluster(
      600, 'Time to wait for other processes of the cluster, in seconds, with '
      'a line every 10 s that names them. 0 waits without limit.', at_least=0)
  collective_communication: str = _cluster(
      'auto', 'How workers without parameter servers exchange gradients: in a '
      "ring by TensorFlow, or by NVIDIA's NCCL, which auto takes between GPUs.",
      choices=('auto', 'ring', 'nccl'), only_if_set=('worker_hosts',))
  sync_replicas: bool = _cluster(
      False, 'Whether to average the gradients of several workers in each '
      'update. Otherwise each worker updates the weights independently.')
  replicas_to_aggregate: int = _cluster(
      1, 'Number of gradients averaged in one update. If lower than the number '
      'of workers, the gradients of the slowest are dropped.', at_least=1,
      only_if=('sync_replicas', (True,)))


@dataclasses.dataclass(frozen=True)
class Loop:
  """Duration and output."""
  train_dir: str = flag(
      '/tmp/tfmodel/', 'Directory of the checkpoints, summaries and logs.')
  resume: str = flag(
      'auto', 'What to do with checkpoints in --train_dir. auto: resume from '
      'the latest, if there is one. never: start over and move the files of '
      'the earlier run to a subdirectory. must: resume, or fail if there is '
      'none.', choices=('auto', 'never', 'must'))
  max_number_of_steps: Optional[int] = flag(
      None, 'Number of training steps. Default: no limit.', at_least=1)
  num_epochs: Optional[float] = flag(
      None, 'Number of passes over the split, by all clones together. With '
      '--max_number_of_steps, the lower limit applies. Default: no limit.',
      above=0)
  log_every_n_steps: int = flag(
      10, 'Number of steps between two lines of progress.', at_least=1)
  save_summaries_secs: int = flag(
      600, 'Time between two summaries, in seconds.', at_least=1)
  summarize_images: int = flag(
      0, 'Number of preprocessed training images in each summary.', at_least=0)
  save_interval_secs: int = flag(
      600, 'Time between two checkpoints, in seconds.', at_least=1)
  max_checkpoints_to_keep: int = flag(
      5, 'Maximum number of checkpoints kept; older ones are deleted. 0 keeps '
      'all.', at_least=0)
  eval_every: int = _evaluation(
      0, 'Number of steps between two evaluations, each of which saves a '
      'checkpoint. 0 disables them.', at_least=0)
  eval_every_epochs: float = _evaluation(
      0.0, 'Number of passes over the split, such as 0.5, between two '
      'evaluations, instead of --eval_every. 0 disables them.', at_least=0)
  eval_split: Optional[str] = _if_evaluated(
      None, 'Split to evaluate. Default: the first of validation, val and test '
      'that the dataset has.', metavar='SPLIT')
  best_metric: Optional[str] = _if_evaluated(
      None, 'Metric that selects the checkpoint kept in TRAIN_DIR/best, such '
      'as Accuracy, Recall_5, Macro_F1 or Loss. Default: Accuracy; '
      'Mean_Average_Precision if images have several labels.', metavar='NAME')
  early_stopping_patience: int = _if_evaluated(
      0, 'Number of evaluations without improvement of --best_metric after '
      'which training stops. 0 disables early stopping.', at_least=0)
  trace_every: int = flag(
      0, 'Number of steps between two timelines for chrome://tracing, '
      'TRAIN_DIR/timeline-STEP.json. 0 disables them.', at_least=0)


@dataclasses.dataclass(frozen=True)
class Catalogue:
  """Information (instead of training)."""
  list_models: bool = flag(
      False, 'List the names of the networks.', standalone=True)
  describe_model: Optional[str] = flag(
      None, 'Print image size, parameters, multiply-adds, scopes, '
      'preprocessing and end points of a network.', metavar='MODEL',
      standalone=True)


@dataclasses.dataclass(frozen=True)
class Train:
  """Options of train_image_classifier.py."""
  data: TrainingData = TrainingData()
  model: Model = Model()
  warm_start: WarmStart = WarmStart()
  optimizer: Optimizer = Optimizer()
  schedule: Schedule = Schedule()
  loop: Loop = Loop()
  deployment: Deployment = Deployment()
  catalogue: Catalogue = Catalogue()

  value_sets = {'preset': presets.PRESETS}
  alternatives = presets.ALTERNATIVES
  most_used = (
      'dataset_name', 'dataset_dir', 'dataset_split_name', 'model_name',
      'train_dir', 'checkpoint_path', 'preset', 'source', 'trainable_scopes',
      'batch_size',
      'num_epochs', 'max_number_of_steps', 'optimizer', 'learning_rate',
      'learning_rate_decay_type', 'eval_every_epochs', 'num_clones',
      'list_models')
