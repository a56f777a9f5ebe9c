"""The input stage of the training graph: from records to batches."""
import collections
import dataclasses

import tensorflow.compat.v1 as tf

from datasets.reading import class_sampling
from datasets.reading import input_pipeline
from datasets.reading import sample_image
from deployment import all_reduce
from image_classifier.train import run_length
from preprocessing import preprocessing_factory

# Functions: of a decoded image, of an encoded JPEG, of a batch of decoded
# images, and of a batch of images and labels. All but the first may be None.
_Preprocessing = collections.namedtuple(
    '_Preprocessing', 'image jpeg batch mix')


def batches(run):
  """Adds the input pipeline of a `resolved_run.Run` to the default graph.

  Returns:
    (batch, seconds): the next `input_pipeline.Batch` for all clones together,
    images float32 [batch_size * num_clones, height, width, channels], and a
    float64 scalar, the seconds that a step waits for it.
  """
  data, deployment = run.options.data, run.deployment
  height, width = run.image_shape[:2]
  functions = _preprocessing(run)
  if run.options.loop.summarize_images:
    _summarize_image(
        run.dataset, lambda image: functions.image(image, height, width))
  threads = data.num_preprocessing_threads
  return input_pipeline.next_batch(input_pipeline.training_batches(
      run.dataset,
      lambda image, **seed: functions.image(image, height, width, **seed),
      data.batch_size * deployment.num_clones,
      num_readers=data.num_readers, num_threads=threads,
      shuffle_buffer=data.shuffle_buffer, labels_offset=run.labels_offset,
      seed=run.seed,
      preprocess_jpeg=functions.jpeg and (
          lambda encoded, channels, **seed: functions.jpeg(
              encoded, channels, height, width, **seed)),
      deterministic=(
          data.deterministic or data.seed is not None and threads == 1),
      mix=functions.mix, sampling=_sampling(run),
      shard=((deployment.task, deployment.worker_replicas)
             if data.shard_by_worker or all_reduce.is_used(deployment)
             else (0, 1)),
      max_bad_records=data.bad_records_allowed,
      first_batch=_batches_before(deployment, run.start.step),
      preprocess_batch=functions.batch and (
          lambda images: functions.batch(images, height, width))))


def _sampling(run):
  """Returns the `class_sampling.Sampling` of a run, or None."""
  data = run.options.data
  if run.embedding_size:
    return class_sampling.Sampling(
        class_sampling.BATCHES, data.classes_per_batch, data.samples_per_class)
  if data.class_sampling == class_sampling.NONE:
    return None
  return class_sampling.Sampling(data.class_sampling)


def image_shape(options, dataset, size):
  """Returns the (height, width, channels) that the network gets; reads none.

  Args:
    options: an `options.Train`.
    dataset: the `slim.dataset.Dataset`.
    size: height and width of the image, in pixels.

  Raises:
    ValueError: the dataset has no files, or the preprocessing is not known.
  """
  preprocess = preprocessing_factory.get_preprocessing(
      _name(options), use_grayscale=options.data.use_grayscale)
  with tf.Graph().as_default():
    image = preprocess(tf.placeholder(
        tf.uint8, sample_image.static_shape(dataset)), size, size)
  return tuple(image.shape.as_list())


def describe(run):
  """Returns lines about the classes in batches, and about preprocessing."""
  return _describe_sampling(run.options.data, run.embedding_size) + (
      _describe_speed(run))


def _describe_sampling(data, embedding_size):
  if embedding_size:
    return ['Each batch: %d classes (--classes_per_batch), %d images of each '
            '(--samples_per_class).' % (
                data.classes_per_batch, data.samples_per_class)]
  if data.class_sampling != class_sampling.NONE:
    return ['Classes: %s; an epoch has as many images as without.' %
            data.class_sampling]
  return []


def _describe_speed(run):
  """Returns a line where numba would speed up preprocessing but cannot."""
  options = run.options
  if options.data.augmentation == 'none' or not (
      preprocessing_factory.get_jpeg_preprocessing(
          _name(options), is_training=True, use_compiled=False)):
    return []
  reason = preprocessing_factory.why_not_compiled()
  if run.deployment.master:
    reason = 'the server of --master may be another process'
  return [] if reason is None else [
      'Warning: preprocessing by TensorFlow operations takes up to 1.5 times '
      'as long: %s.' % reason]


def _name(options):
  return options.data.preprocessing_name or options.model.model_name


def _batches_before(deployment, step):
  """Returns how many batches each worker had made until a global step."""
  return (step * run_length.workers_per_step(deployment) //
          deployment.worker_replicas)


def _summarize_image(dataset, preprocess):
  """Adds summaries of an image and of the stages of its preprocessing.

  Summaries made inside tf.data reach no file. This image is read outside of
  tf.data, whenever the summaries are.
  """
  image = sample_image.next_image(dataset)
  tf.summary.image('input_picture', tf.expand_dims(image, 0))
  preprocess(image)


def _preprocessing(run):
  """Returns the _Preprocessing of a run."""
  data, name = run.options.data, _name(run.options)
  arguments = dict(use_grayscale=data.use_grayscale)
  if data.augmentation == 'none':
    return _Preprocessing(
        preprocessing_factory.get_preprocessing(name, **arguments), None,
        preprocessing_factory.get_batch_preprocessing(name, **arguments), None)
  arguments.update(
      is_training=True, augmentation=preprocessing_factory.Augmentation(**{
          field.name: getattr(data, field.name) for field in
          dataclasses.fields(preprocessing_factory.Augmentation)}))
  return _Preprocessing(
      preprocessing_factory.get_preprocessing(name, **arguments),
      preprocessing_factory.get_jpeg_preprocessing(
          # Functions that numba compiles live in this process.
          name, use_compiled=False if run.deployment.master else None,
          **arguments),
      preprocessing_factory.get_batch_preprocessing(name, **arguments),
      preprocessing_factory.get_mixing(
          run.num_classes, data.mixup_alpha, data.cutmix_alpha))
