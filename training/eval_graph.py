"""The evaluation graph."""
import collections

from datasets import dataset_factory
from datasets import input_pipeline
from nets import nets_factory
from preprocessing import preprocessing_factory
from training import metrics
from training import moving_average

EvalGraph = collections.namedtuple(
    'EvalGraph', 'counts variables_to_restore num_examples')


def build(options):
  """Builds the graph of an evaluation in the default graph.

  Args:
    options: an `options.Evaluate`.

  Returns:
    An EvalGraph: metrics.Counts of the next batch (OutOfRangeError after the
    last), the dict {name in the checkpoint: variable}, and the number of
    examples of the split.

  Raises:
    ValueError: a name or size in the options does not fit.
  """
  data = options.data
  dataset = dataset_factory.get_dataset(
      data.dataset_name, data.dataset_split_name, data.dataset_dir)
  network = nets_factory.get_network_fn(
      options.evaluation.model_name, dataset.num_classes - data.labels_offset,
      is_training=False)
  size = options.evaluation.eval_image_size or network.default_image_size
  preprocess = preprocessing_factory.get_preprocessing(
      data.preprocessing_name or options.evaluation.model_name,
      is_training=False, use_grayscale=data.use_grayscale)
  batches = input_pipeline.evaluation_batches(
      dataset, lambda image: preprocess(image, size, size), data.batch_size,
      num_threads=data.num_preprocessing_threads,
      labels_offset=data.labels_offset)
  batch, _ = input_pipeline.next_batch(batches)
  logits, _ = network(batch.images)
  return EvalGraph(
      metrics.count(logits, batch.labels),
      moving_average.variables_to_restore(
          options.evaluation.moving_average_decay),
      dataset.num_samples)
