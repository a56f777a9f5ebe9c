"""Embeddings: from the flags of a training to every later program."""
import dataclasses
import json
import shutil

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets.reading import class_sampling
from image_classifier import options
from image_classifier.classify import classify
from image_classifier.evaluate import evaluation
from image_classifier.evaluate_export import export_evaluation
from image_classifier.export import export as exports
from image_classifier.train import hooks
from image_classifier.train import loop
from slim_common import flags
from tests.image_classifier import evaluations
from tests.image_classifier import training_runs as runs


def _options(digits, train_dir, steps=1, model=(), data=(), **others):
  return runs.train(
      digits, train_dir, steps=steps, optimizer=dict(optimizer='adam'),
      schedule=dict(learning_rate=0.001),
      model=dict(dict(loss='triplet_batch_all', embedding_size=16), **dict(
          model)), data=dict(dict(batch_size=20, seed=1), **dict(data)),
      **others)


@pytest.fixture(name='few', scope='module')
def _few(digits, tmp_path_factory):
  """300 digits to embed, of the split test, which is the gallery too."""
  directory = tmp_path_factory.mktemp('data') / 'few'
  evaluations.rewrite_digits(
      digits, directory, ['n%d' % i for i in range(10)], lambda digit: [digit],
      300)
  return str(directory)


@pytest.fixture(name='trained', scope='module')
def _trained(few, tmp_path_factory):
  directory = tmp_path_factory.mktemp('trained')
  loop.train(_options(
      few, directory, 25, model=dict(normalize_embedding=True),
      data=dict(dataset_split_name='test'),
      loop=dict(eval_every=25, eval_split='test')))
  return directory


@pytest.fixture(name='exported', scope='module')
def _exported(trained):
  exports.export(dataclasses.replace(
      options.Export(), checkpoint_path=str(trained), tflite=True, verify=True,
      calibration_split='test',
      output_dir=str(trained / 'export')))
  return trained / 'export'


@pytest.fixture(name='results', scope='module')
def _results(few, trained):
  return evaluation.evaluate(evaluations.options_for(
      few, trained, results_file=str(trained / 'results.json')))


@pytest.mark.slow
def test_evaluation_needs_no_flags(trained, results):
  assert list(results)[:6] == [
      'Accuracy', 'Recall_at_1', 'Recall_at_5', 'Recall_at_10',
      'Mean_Average_Precision', 'Mean_Norm']
  # Mean average precision after 1 step and after 25, seeds 1 to 5:
  # 0.29 to 0.38 and 0.46 to 0.60 on both TensorFlows.
  assert results['Mean_Average_Precision'] > 0.42
  assert results['Accuracy'] == results['Recall_at_1']
  assert results['Recall_at_1'] < results['Recall_at_10'] < 1
  assert results['Mean_Norm'] == pytest.approx(1)
  # The training measured the same on its way.
  row, = [row['evaluation'] for row in runs.log(trained)
          if 'evaluation' in row]
  assert row == pytest.approx(results)
  assert {'embedding/fraction_positive', 'embedding/hardest_negative'} <= (
      runs.tags(trained))


@pytest.mark.slow
def test_export_has_an_embedding(few, exported, results):
  record = json.loads((exported / 'model.json').read_text())
  assert record['outputs'] == ['logits', 'predictions', 'embedding']
  assert record['output_descriptions']['embedding'].startswith(
      'The embedding, 16 numbers of length 1: ')
  assert (record['embedding_size'], record['num_classes']) == (16, 10)
  definition = tf.GraphDef.FromString(
      (exported / 'frozen_inference_graph.pb').read_bytes())
  tf.import_graph_def(definition, name='')
  with tf.Session() as session:
    values = session.run('embedding:0', {'input:0': np.zeros([3, 28, 28, 1])})
    loaded = tf.saved_model.loader.load(
        session, ['serve'], str(exported / 'saved_model'))
  assert values.shape == (3, 16)
  np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, rtol=1e-5)
  for signature in loaded.signature_def.values():
    assert 'embedding' in signature.outputs
  evaluated = export_evaluation.evaluate(flags.parse([
      '--graph=%s' % exported, '--dataset_dir=' + few, '--gallery_split=test',
      '--eval_dir='], options.Evaluate)[0])
  assert evaluated == pytest.approx(results, abs=1e-5)


@pytest.fixture(name='gallery')
def _gallery(few, tmp_path):
  """The first ten digits by class, and the eleventh to be classified."""
  images = evaluations.pixels(few + '/mnist_test.tfrecord')
  records = tf.python_io.tf_record_iterator(few + '/mnist_test.tfrecord')
  for number, (image, record) in enumerate(zip(images[:60], records)):
    label, = tf.train.Example.FromString(record).features.feature[
        'image/class/label'].int64_list.value
    directory = tmp_path / 'gallery' / ('digit %d' % label)
    directory.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(str(directory / ('%d.png' % number)))
  return tmp_path / 'gallery'


def _classify(gallery, image, **changes):
  return classify.classify(dataclasses.replace(
      options.Classify(), images=(str(image),),
      gallery=gallery and str(gallery), **changes))


@pytest.mark.parametrize('form', ['checkpoint', 'export', 'tflite'])
def test_the_nearest_in_a_gallery_names_an_image(
    form, trained, exported, gallery, tmp_path, capsys):
  known = next((gallery / 'digit 3').iterdir())
  shutil.copy(str(exported / 'model.tflite'), str(tmp_path / 'alone.tflite'))
  network = {'checkpoint': dict(checkpoint_path=str(trained)),
             'export': dict(graph=str(exported)),
             'tflite': dict(graph=str(tmp_path / 'alone.tflite'))}[form]
  assert _classify(gallery, known, top_k=2, **network,
                   output_json=str(tmp_path / 'out.json')) == 0
  row, = json.loads((tmp_path / 'out.json').read_text())
  assert row['names'][0] == 'digit 3' and row['nearest'] == str(known)
  assert row['distance'] == pytest.approx(0, abs=1e-3)
  assert ('; nearest: %s, at 0.00' % known) in capsys.readouterr().out


def test_images_without_classes_are_a_gallery_of_their_names(
    trained, gallery, capsys):
  directory = gallery / 'digit 3'
  known = next(directory.iterdir())
  _classify(directory, known, checkpoint_path=str(trained), top_k=1)
  assert '%s: %s ' % (known, known.stem) in capsys.readouterr().out


def test_a_gallery_of_files_and_directories(trained, gallery):
  (gallery / 'notes.txt').write_text('')
  image = next((gallery / 'digit 3').iterdir())
  with pytest.raises(ValueError, match='holds subdirectories, which are '
                     'classes, and files, such as notes.txt: move the files'):
    _classify(gallery, image, checkpoint_path=str(trained))
  with pytest.raises(ValueError, match='is no directory: give one with a '
                     'subdirectory of images per class'):
    _classify(gallery / 'none', image, checkpoint_path=str(trained))


def test_embeddings_need_a_gallery(exported, gallery):
  with pytest.raises(ValueError, match='The network computes embeddings, which '
                     'have no names: give known images with --gallery=DIR'):
    _classify(None, gallery / 'digit 3', graph=str(exported))


def test_a_gallery_explains_nothing(trained, gallery, tmp_path):
  with pytest.raises(ValueError, match='--explain shows what made the network '
                     'choose a class, and with --gallery it chooses none'):
    _classify(gallery, gallery / 'digit 3', checkpoint_path=str(trained),
              explain=str(tmp_path / 'maps'))


def test_a_gallery_is_for_embeddings(digits, gallery, tmp_path):
  runs.leave(runs.train(digits, tmp_path / 'model'))
  with pytest.raises(ValueError, match='--gallery is for networks that were '
                     'trained with a loss of embeddings; this one names cla'):
    _classify(gallery, gallery / 'digit 3',
              checkpoint_path=str(tmp_path / 'model'))


def test_a_gallery_split_that_is_not_there(few, trained):
  with pytest.raises(ValueError, match="--gallery_split=other: mnist has no "
                     "split 'other'"):
    evaluation.evaluate(flags.remember(evaluations.options_for(
        few, trained, gallery_split='other'), ['gallery_split']))


def test_a_step_trains_all_layers(few):
  graph = runs.build(_options(
      few, 'unused', model=dict(loss='triplet_batch_hard', batch_all_steps=5),
      data=dict(dataset_split_name='test')))
  assert ('Loss: triplet_batch_hard with margin 0.5, triplet_batch_all until '
          'step 5.') in graph.notes
  assert [hook for hook in graph.hooks if isinstance(hook, hooks.CollapseHook)]
  weights = [variable for variable in graph.trained_variables
             if variable.op.name.endswith('conv1/weights')]
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    before = session.run(weights)
    assert np.isfinite(session.run(graph.train_op))
    assert np.abs(np.subtract(session.run(weights), before)).max() > 0


@pytest.mark.parametrize('data, expected', [
    ({}, (5, 4, 20)), (dict(batch_size=8), (2, 4, 8)),
    (dict(batch_size=100), (10, 4, 40)),
    (dict(classes_per_batch=4), (4, 5, 20)),
    (dict(classes_per_batch=4, samples_per_class=5), (4, 5, 20)),
    (dict(samples_per_class=10), (2, 10, 20))])
def test_classes_and_images_of_a_batch(data, expected, few):
  run = runs.resolve(_options(
      few, 'unused', data=dict(dict(dataset_split_name='test'), **data)))
  resolved = run.options.data
  assert (resolved.classes_per_batch, resolved.samples_per_class,
          resolved.batch_size) == expected
  assert run.length.examples_per_step == expected[2]


@pytest.mark.parametrize('changes, message', [
    (dict(data=dict(batch_size=30, classes_per_batch=4, samples_per_class=5)),
     '--batch_size=30 is not --classes_per_batch=4 times --samples_per_class=5:'
     ' leave out one of them, or give --batch_size=20.'),
    (dict(data=dict(mixup_alpha=.2)), '--mixup_alpha=0.2 has no effect here, '
     'as --loss=triplet_batch_all compares the labels of images: leave it out.'
    ), (dict(model=dict(label_smoothing=.1)), '--label_smoothing=0.1 has no '),
    (dict(data=dict(class_sampling='sqrt')), '--class_sampling=sqrt has no ')])
def test_flags_that_do_not_go_together(changes, message, few):
  data = dict(dataset_split_name='test', **changes.pop('data', {}))
  with pytest.raises(ValueError) as error:
    runs.resolve(_options(few, 'unused', data=data, **changes))
  assert message in str(error.value)


def test_another_size_does_not_resume(few, trained):
  with pytest.raises(ValueError, match=r'what differs is the size of the '
                     r'embedding \(16 there, 8 here\)'):
    loop.train(_options(few, trained, model=dict(embedding_size=8),
                        data=dict(dataset_split_name='test')))


def test_collapse_is_said_once(capsys):
  nothing = tf.no_op()
  hook = hooks.CollapseHook(tf.constant(.5), tf.constant(0.), .5, every=2)
  tf.train.create_global_step()
  with tf.train.MonitoredSession(hooks=[hook]) as session:
    for steps, times in ((9, 0), (1, 1), (20, 0)):
      for _ in range(steps):
        session.run(nothing)
      assert capsys.readouterr().out.count(
          'Warning: The loss, 0.5, is at the margin, 0.5, and') == times


@pytest.mark.parametrize('kind', [class_sampling.BALANCED, class_sampling.SQRT])
def test_class_sampling_of_a_training(kind, digits, tmp_path):
  """Nine tenths of the images are of class 0."""
  evaluations.rewrite_digits(
      digits, tmp_path / 'data', ['many', 'few'], lambda digit: [
          int(digit == 7)], 300)
  graph = runs.build(runs.train(
      str(tmp_path / 'data'), 'unused', data=dict(
          dataset_split_name='test', class_sampling=kind, batch_size=200,
          seed=1)))
  assert 'Classes: %s; an epoch has as many images as without.' % kind in (
      graph.notes)


def test_class_sampling_needs_one_label(digits, tmp_path):
  evaluations.rewrite_digits(
      digits, tmp_path / 'data', ['a', 'b'], lambda digit: [digit % 2], 20,
      multi_label=True)
  for changes, message in (
      (dict(data=dict(class_sampling='balanced')), '--class_sampling=balanced '
       'needs one label per image, and images of this dataset have several'),
      (dict(model=dict(loss='contrastive')), '--loss=contrastive needs one '
       'label per image, and images of this dataset have several: use --loss='
       'sigmoid.')):
    changes.setdefault('data', {})['dataset_split_name'] = 'test'
    with pytest.raises(ValueError) as error:
      runs.resolve(runs.train(str(tmp_path / 'data'), 'unused', **changes))
    assert message in str(error.value)
