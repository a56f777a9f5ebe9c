"""A training with everything decided that its flags leave open."""
import dataclasses
from typing import Any, Dict, Optional, Tuple

from datasets import dataset_factory
from deployment import cluster
from image_classifier import options as program_options
from image_classifier.checkpoints import checkpoint_reader
from image_classifier.graphs import label_offset
from image_classifier.losses import task_heads
from image_classifier.losses import task_turns
from image_classifier.runs import best_checkpoint
from image_classifier.runs import loss_flags
from image_classifier.runs import record_defaults
from image_classifier.runs import resume
from image_classifier.runs import run_record
from image_classifier.train import evaluation_schedule
from image_classifier.train import run_length
from image_classifier.train import train_input
from nets import nets_factory


@dataclasses.dataclass(frozen=True)
class Run:
  """A training, resolved once; everything after it reads this object.

  Attributes:
    options: the `options.Train` as given, completed by the run.json of the
      checkpoint to start from; what is an attribute here is read here.
    notes: lines to print about what was completed.
    deployment: the `options.Deployment` with the numbers of workers and
      parameter servers.
    dataset: the `slim.dataset.Dataset` to train on.
    labels_offset: int, subtracted from every label.
    num_classes: int, the classes that the network tells apart.
    image_shape: (height, width, channels) of the network's input, in pixels.
    length: the `run_length.RunLength`, in steps.
    start: the `resume.Start`, the step and checkpoint that the run starts at.
    plan: the `evaluation_schedule.Plan`; None without evaluation.
    best: the `best_checkpoint.BestCheckpoint`; None without evaluation.
    record: dict, the content of run.json.
  """
  options: program_options.Train
  notes: Tuple[str, ...]
  deployment: program_options.Deployment
  dataset: Any
  labels_offset: int
  num_classes: int
  image_shape: Tuple[int, int, int]
  length: run_length.RunLength
  start: resume.Start
  plan: Optional[evaluation_schedule.Plan]
  best: Optional[best_checkpoint.BestCheckpoint]
  record: Dict[str, Any]

  @property
  def multi_label(self) -> bool:
    """Whether an image has any number of labels instead of one."""
    return _is_multi_label(self.dataset)

  @property
  def heads(self):
    """The list of `task_heads.Head`; None without tasks."""
    return task_heads.of_dataset(self.dataset, self.options.model.tasks)

  @property
  def turns(self):
    """The steps in a row of each head, see `task_turns`; () for all at once."""
    return task_turns.parse(self.options.model.task_schedule, [
        head.task for head in self.heads]) if self.heads else ()

  @property
  def embedding_size(self) -> Optional[int]:
    """The size of the embedding that is trained; None for classes."""
    model = self.options.model
    return model.embedding_size if (
        model.loss in program_options.METRIC_LOSSES) else None

  @property
  def num_outputs(self) -> int:
    """The width of the network's last layer."""
    return self.embedding_size or self.num_classes

  @property
  def is_chief(self) -> bool:
    """Whether this process initializes, saves and logs."""
    return cluster.is_chief(self.deployment)

  @property
  def seed(self) -> Optional[int]:
    """The seed of this worker's own random numbers; None without one."""
    seed = self.options.data.seed
    return None if seed is None else seed + self.deployment.task

  @property
  def steps_per_epoch(self) -> float:
    """Steps in which one clone passes over the dataset once."""
    return self.dataset.num_samples / (
        self.length.examples_per_step / self.deployment.num_clones)


def resolve(options: program_options.Train) -> Run:
  """Resolves the options of a training, and checks what needs no graph.

  Nothing is written.

  Raises:
    ValueError: the options, the data or the checkpoints do not fit, or
      train_dir holds another run.
  """
  loop = options.loop
  deployment = cluster.resolve(options.deployment)
  resume.check_directory(loop.train_dir)
  start = resume.find(loop.train_dir, loop.resume)
  options, notes = record_defaults.apply_to_fine_tuning(
      options, _record_to_start_from(options, start))
  dataset = _dataset(options.data, options.data.dataset_split_name)
  options = loss_flags.complete(options, dataset)
  data = options.data
  length = run_length.compute(options, dataset.num_samples)
  plan = evaluation_schedule.plan(
      options, length, dataset, lambda split: _dataset(data, split))
  labels_offset = _labels_offset(options, dataset, start)
  num_classes = _num_classes(dataset, options, labels_offset)
  image_shape = train_input.image_shape(
      options, dataset, options.model.train_image_size or
      nets_factory.get_network_fn(
          options.model.model_name, num_classes).default_image_size)
  record = run_record.make(
      options, dataset, num_classes, image_shape, length.last_step)
  if start.checkpoint:
    # Before the graph is built: a large one takes a while.
    run_record.check(loop.train_dir, record)
  return Run(
      options, tuple(notes), deployment, dataset, labels_offset, num_classes,
      image_shape, length, start, plan,
      plan and best_checkpoint.BestCheckpoint(
          loop.train_dir, plan.metric, plan.split, start.step), record)


def _record_to_start_from(options, start):
  """Returns the run.json that completes a fine-tuning, or None.

  A run that resumes has taken over what it needed: its own record knows it,
  even where the earlier training has been removed.
  """
  path = options.warm_start.checkpoint_path
  if not path:
    return None
  if start.checkpoint:
    return run_record.of_checkpoint(start.checkpoint)
  try:
    return run_record.of_checkpoint(checkpoint_reader.find(path))
  except ValueError:
    return None  # Which is reported where the weights are loaded.


def _dataset(data, split):
  return dataset_factory.get_dataset(
      data.dataset_name, split, data.dataset_dir)


def _is_multi_label(dataset):
  return bool(getattr(dataset, 'multi_label', False))


def _labels_offset(options, dataset, start):
  """Returns --labels_offset as a number."""
  offset = label_offset.resolve(
      options.data.labels_offset, dataset.num_classes,
      start.checkpoint or options.warm_start.checkpoint_path,
      options.model.model_name)
  if offset and _is_multi_label(dataset):
    raise ValueError(
        '--labels_offset=%d: images of %s have several labels, and every class '
        'is an output of the network: use --labels_offset=0.' % (
            offset, options.data.dataset_name))
  return offset


def _num_classes(dataset, options, labels_offset):
  heads = task_heads.of_dataset(dataset, options.model.tasks)
  if heads:
    return task_heads.number_of_outputs(heads)
  num_classes, data = dataset.num_classes - labels_offset, options.data
  minimum = 1 if _is_multi_label(dataset) else 2
  if num_classes < minimum:
    raise ValueError(
        '--labels_offset=%d leaves %d of the %d classes of the dataset %s; at '
        'least %d are needed.' % (labels_offset, num_classes,
                                  dataset.num_classes, data.dataset_name,
                                  minimum))
  return num_classes
