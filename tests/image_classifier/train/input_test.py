"""The flags of the input, from the command line's dataclass to the batches."""
import dataclasses

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets.reading import input_pipeline
from image_classifier import options
from image_classifier.train import train_input
from preprocessing import preprocessing_factory
from slim_common import flags
from tests.image_classifier import training_runs as runs


def _images(digits, steps=2, first_step=0, **data):
  """Returns the images that a training gets in its first steps."""
  settings = runs.train(digits, 'unused', data=dict(data, batch_size=3))
  with tf.Graph().as_default(), tf.Session() as session:
    graph = runs.build(settings, first_step)
    session.run(tf.tables_initializer())
    return [session.run(graph.images) for _ in range(steps)]


@pytest.fixture(scope='module')
def plain(digits):
  """The first images of each preprocessing, with the seed alone."""
  return {name: _images(digits, 1, seed=1, deterministic=True,
                        preprocessing_name=name)[0]
          for name in ('cifarnet', 'vgg')}


_TWO_WORKERS = dict(worker_hosts=('a:1', 'b:1'), task=1)
_WITH_SERVER = dict(_TWO_WORKERS, ps_hosts=('c:1',))


class _Asked(Exception):
  pass


@pytest.mark.parametrize('deployment, shard_by_worker, shard', [
    (dict(num_clones=2), False, (0, 1)), (_TWO_WORKERS, False, (1, 2)),
    (_TWO_WORKERS, True, (1, 2)), (_WITH_SERVER, False, (0, 1)),
    (_WITH_SERVER, True, (1, 2))])
def test_the_part_of_the_records_that_a_worker_reads(
    deployment, shard_by_worker, shard, digits, monkeypatch):
  """Of one of two workers; input_pipeline_test.py reads such parts."""
  def ask(*_, shard, **__):
    raise _Asked(shard)

  monkeypatch.setattr(input_pipeline, 'training_batches', ask)
  run = runs.resolve(runs.train(
      digits, 'unused', data=dict(shard_by_worker=shard_by_worker),
      deployment=deployment))
  with pytest.raises(_Asked) as asked:
    train_input.batches(run)
  assert asked.value.args == (shard,)


def _parse(*words):
  return flags.parse(
      ('--dataset_dir=there',) + words, options.Train)


@pytest.mark.slow
@pytest.mark.parametrize('threads, deterministic', [(1, False), (3, True)])
def test_a_resumed_run_gets_the_images_it_would_have_got(
    digits, threads, deterministic):
  arguments = dict(
      seed=3, deterministic=deterministic, num_preprocessing_threads=threads,
      preprocessing_name='cifarnet', mixup_alpha=0.4, random_erasing=0.5)
  whole = _images(digits, 4, **arguments)
  rest = _images(digits, 2, first_step=2, **arguments)
  np.testing.assert_array_equal(whole[2:], rest)
  assert np.abs(whole[0] - whole[1]).max() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize('data', [
    dict(augmentation='none'), dict(random_erasing=1.0),
    dict(color_jitter=0.9), dict(randaugment_steps=2),
    dict(randaugment_steps=2, randaugment_magnitude=1.0),
    dict(mixup_alpha=1.0), dict(cutmix_alpha=1.0),
    dict(crop_min_area=0.9, preprocessing_name='vgg'),
    dict(crop_max_aspect=1.1, preprocessing_name='vgg')])
def test_every_flag_changes_the_images(digits, plain, data):
  arguments = dict(seed=1, deterministic=True, preprocessing_name='cifarnet')
  arguments.update(data)
  changed, = _images(digits, 1, **arguments)
  usual = plain[arguments['preprocessing_name']]
  assert changed.shape == usual.shape
  assert np.abs(changed - usual).mean() > 1e-3


def test_no_augmentation_is_the_preprocessing_of_evaluation(digits):
  images, = _images(digits, 1, seed=1, augmentation='none',
                    preprocessing_name='lenet', shuffle_buffer=1)
  plain, = _images(digits, 1, seed=1, preprocessing_name='lenet',
                   shuffle_buffer=1)
  np.testing.assert_array_equal(images, plain)


def test_arguments_of_the_pipeline(digits, monkeypatch):
  given = {}

  def training_batches(*unused_arguments, **keywords):
    given.update(keywords)
    raise StopIteration

  monkeypatch.setattr(input_pipeline, 'training_batches', training_batches)

  def arguments(**data):
    with pytest.raises(StopIteration):
      with tf.Graph().as_default():
        runs.build(runs.train(digits, 'unused', data=data))
    return given

  assert arguments()['max_bad_records'] == 0
  assert arguments(max_bad_records=7)['max_bad_records'] == 0
  assert arguments(on_bad_record='skip')['max_bad_records'] == 100
  assert arguments(
      on_bad_record='skip', max_bad_records=7)['max_bad_records'] == 7
  assert arguments(num_readers=2)['num_readers'] == 2
  assert arguments(shuffle_buffer=9)['shuffle_buffer'] == 9
  assert not arguments(seed=1)['deterministic']
  assert arguments(seed=1, num_preprocessing_threads=1)['deterministic']
  assert arguments(seed=1, deterministic=True)['deterministic']
  assert arguments()['shard'] == (0, 1)


def test_preprocessing_stages_are_summarized(digits):
  """Slim's summaries of images, which tf.data would swallow."""
  settings = runs.train(
      digits, 'unused', data=dict(preprocessing_name='inception'),
      loop=dict(summarize_images=1))
  graph = runs.build(settings)
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    summary = tf.Summary.FromString(session.run(graph.summary_op))
  shown = {value.tag for value in summary.value if value.HasField('image')}
  assert shown == {'input_picture/image/0'} | {
      'distort_image/%s/image/0' % name for name in (
          'image_with_bounding_boxes', 'images_with_distorted_bounding_box',
          'cropped_resized_image', 'final_distorted_image')}


@pytest.mark.parametrize('words, message', [
    ('--augmentation=all', 'recipe|none'),
    ('--on_bad_record=warn', 'fail|skip'),
    ('--max_bad_records=0', '--max_bad_records=0 must be at least 1'),
    ('--crop_min_area=0', '--crop_min_area=0.0 must be more than 0'),
    ('--crop_min_area=1.5', '--crop_min_area=1.5 must be at most 1'),
    ('--crop_max_aspect=0.5', '--crop_max_aspect=0.5 must be at least 1'),
    ('--color_jitter=-1', '--color_jitter=-1.0 must be at least 0'),
    ('--randaugment_steps=-1', '--randaugment_steps=-1 must be at least 0'),
    ('--randaugment_magnitude=11',
     '--randaugment_magnitude=11.0 must be at most 10'),
    ('--random_erasing=2', '--random_erasing=2.0 must be at most 1'),
    ('--mixup_alpha=3', '--mixup_alpha=3.0 must be at most 2'),
    ('--cutmix_alpha=-1', '--cutmix_alpha=-1.0 must be at least 0'),
    ('--num_readers=0', '--num_readers=0 must be at least 1'),
    ('--shuffle_buffer=0', '--shuffle_buffer=0 must be at least 1'),
])
def test_invalid_values(words, message):
  with pytest.raises(flags.UsageError) as error:
    _parse(words)
  assert message in str(error.value)


@pytest.mark.parametrize('words, message', [
    (['--augmentation=none', '--' + name + '=1'],
     '--%s has no effect with --augmentation=none' % name)
    for name in ('crop_min_area', 'crop_max_aspect', 'color_jitter',
                 'randaugment_steps', 'randaugment_magnitude',
                 'random_erasing', 'mixup_alpha', 'cutmix_alpha')] + [
                     (['--max_bad_records=3'], '--max_bad_records has no '
                      'effect with --on_bad_record=fail')])
def test_flags_without_effect_give_a_warning(words, message):
  assert any(message in warning for warning in _parse(*words)[1])


def test_deterministic_needs_a_seed(digits):
  settings = runs.train(digits, 'unused', data=dict(deterministic=True))
  with pytest.raises(ValueError, match='give --seed'):
    runs.build(settings)


def test_every_field_of_augmentation_is_a_flag():
  names = {field.name for field in dataclasses.fields(
      preprocessing_factory.Augmentation)}
  assert names <= {field.name for field in dataclasses.fields(
      options.TrainingData)}
