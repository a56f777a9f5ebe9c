"""Several tasks: from a list of images to training and every later program."""
import dataclasses
import json
import os
import re
import shutil

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import download_and_convert_image_folder
from image_classifier import options
from image_classifier.classify import classify
from image_classifier.evaluate import evaluation
from image_classifier.evaluate_export import export_evaluation
from image_classifier.export import export as exports
from image_classifier.train import loop
from slim_common import flags
from tests.image_classifier import evaluations
from tests.image_classifier import training_runs as runs


@pytest.fixture(name='data', scope='module')
def _data(digits, tmp_path_factory):
  """80 digits: what they are, and whether they are odd or above 5.

  A quarter has no label of the first task, another none of the second.
  """
  root = tmp_path_factory.mktemp('tasks')
  images = evaluations.pixels(digits + '/mnist_test.tfrecord')
  records = tf.python_io.tf_record_iterator(digits + '/mnist_test.tfrecord')
  rows = []
  for number, (image, record) in enumerate(zip(images[:80], records)):
    digit, = tf.train.Example.FromString(record).features.feature[
        'image/class/label'].int64_list.value
    labels = {'digit': 'd%d' % digit, 'is': [
        name for name, has in (('odd', digit % 2), ('big', digit > 5)) if has]}
    if number % 4 < 2:
      del labels[('digit', 'is')[number % 4]]
    Image.fromarray(image).save(str(root / ('%d.png' % number)))
    rows.append({'path': '%d.png' % number, 'labels': labels})
  (root / 'list.jsonl').write_text('\n'.join(map(json.dumps, rows)))
  download_and_convert_image_folder.run(
      str(root / 'data'), source=str(root / 'list.jsonl'), num_workers=1,
      num_validation=20)
  return root


def _options(data, train_dir, steps=1, tasks=(), optimizer=(), schedule=(),
             warm_start=(), cpu_threads=None, **model):
  deployment = dict(model.pop('deployment', ()), cpu_threads=cpu_threads)
  loop_options = model.pop('loop', {})
  return runs.train(
      str(data / 'data'), train_dir, steps, model=dict(model, tasks=tasks),
      optimizer=dict(optimizer), schedule=dict(schedule), loop=loop_options,
      warm_start=dict(warm_start), deployment=deployment, data=dict(
          dataset_name='image_folder', use_grayscale=True, seed=1))


@pytest.fixture(name='trained', scope='module')
def _trained(data):
  loop.train(_options(data, data / 'model', 2, loop=dict(
      eval_every=2, eval_split='validation', log_every_n_steps=1)))
  return data / 'model'


@pytest.fixture(name='results', scope='module')
def _results(trained):
  return evaluation.evaluate(flags.parse([
      '--checkpoint_path=%s' % trained, '--eval_dir=',
      '--predictions_file=%s' % (trained / 'predictions.jsonl')],
                                         options.Evaluate)[0])


def test_evaluation_needs_no_flags(trained, results):
  assert results['digit/Examples'] + results['is/Examples'] >= 20
  assert {'digit/Accuracy', 'digit/Recall_5', 'is/Mean_Average_Precision',
          'is/Exact_Match'} < set(results)
  row, = [row for row in runs.log(trained) if 'evaluation' in row]
  assert row['evaluation'] == pytest.approx(results)
  best = json.loads((trained / 'best' / 'best.json').read_text())
  assert best['metric'] == 'Mean_Over_Tasks'
  record = json.loads((trained / 'run.json').read_text())
  assert [task['task'] for task in record['tasks']] == ['digit', 'is']
  assert record['class_names'][-2:] == ['is:big', 'is:odd']
  assert record['num_classes'] == 12


def test_predictions_are_of_each_task(trained, results):
  del results
  row = json.loads((trained / 'predictions.jsonl').read_text().splitlines()[0])
  shares = {entry['name']: entry['probability'] for entry in row['top']}
  assert all(name.startswith(('digit:', 'is:')) for name in shares)


@pytest.mark.slow
def test_exports_have_an_output_per_task(trained, results, data, capsys):
  directory = trained / 'export'
  exports.export(dataclasses.replace(
      options.Export(), checkpoint_path=str(trained), tflite=True, verify=True,
      output_dir=str(directory)))
  definition = tf.GraphDef.FromString(
      (directory / 'frozen_inference_graph.pb').read_bytes())
  tf.import_graph_def(definition, name='')
  with tf.Session() as session:
    digit, other, both = session.run(
        ['digit:0', 'is:0', 'predictions:0'],
        {'input:0': np.zeros([3, 28, 28, 1])})
  assert (digit.shape, other.shape) == ((3, 10), (3, 2))
  np.testing.assert_allclose(digit.sum(axis=1), 1, rtol=1e-5)
  np.testing.assert_array_equal(np.concatenate([digit, other], 1), both)
  record = json.loads((directory / 'model.json').read_text())
  assert record['outputs'] == ['logits', 'predictions', 'digit', 'is']
  assert record['output_descriptions']['is'] == (
      'The probability of each class of the task is, by sigmoid.')
  assert export_evaluation.evaluate(flags.parse([
      '--graph=%s' % directory, '--dataset_dir=%s' % (data / 'data'),
      '--eval_dir='], options.Evaluate)[0]) == pytest.approx(results, abs=1e-4)
  classify.classify(dataclasses.replace(
      options.Classify(), images=(str(data / '0.png'),), graph=str(directory),
      top_k=12))
  line = capsys.readouterr().out
  assert 'digit:d3 0.' in line
  # The .tflite file alone says the same.
  os.mkdir(str(directory / 'alone'))
  shutil.copy(str(directory / 'model.tflite'), str(directory / 'alone'))
  classify.classify(dataclasses.replace(
      options.Classify(), images=(str(data / '0.png'),),
      graph=str(directory / 'alone' / 'model.tflite'), top_k=12))
  found = [dict(re.findall(r'((?:digit|is):\w+) (\d\.\d+)', text))
           for text in (line, capsys.readouterr().out)]
  assert len(found[0]) == 12 and set(found[0]) == set(found[1])
  for name, value in found[0].items():
    assert float(found[1][name]) == pytest.approx(float(value), abs=1e-3)


def test_one_task_of_two(data, tmp_path):
  config = _options(data, tmp_path, tasks=('is:0.5',))
  run = runs.resolve(config)
  assert (run.num_outputs, run.record['class_names']) == (
      2, ['is:big', 'is:odd'])
  assert ('Tasks: is (2 classes, any number of them per image, weight 0.5).' in
          runs.build(config).notes)


@pytest.mark.parametrize('changes, message', [
    (dict(data=dict(mixup_alpha=.2)), '--mixup_alpha=0.2 has no effect here, '
     'as images of image_folder have labels of several tasks: leave it out.'),
    (dict(model=dict(loss='softmax')), '--loss=softmax has no effect here'),
    (dict(model=dict(task_schedule='2')), '--task_schedule=2: it must be joint,'
     ' alternating, or the steps in a row of each of the tasks digit, is, such '
     'as 2,1.'),
    (dict(model=dict(task_schedule='1,0')), '--task_schedule=1,0: it must be '),
    (dict(model=dict(task_schedule='alternating', tasks=('is',))),
     '--task_schedule=alternating has no effect here, as there is one task, is:'
     ' leave it out.'),
    (dict(model=dict(task_schedule='alternating'),
          deployment=dict(num_ps_tasks=1, master='grpc://localhost:1')),
     '--task_schedule=alternating needs workers that train the same task at the '
     'same time: leave out the parameter servers, or use --task_schedule=joint.'
    ),
    (dict(model=dict(tasks=('digit',), positive_weights='2')),
     '--positive_weights=2 is for losses that ask yes or no for each class: '
     'none of the tasks has labels of that kind.')])
def test_flags_that_do_not_go_together(changes, message, data):
  config = _options(data, 'unused')
  for part, values in changes.items():
    config = dataclasses.replace(config, **{part: dataclasses.replace(
        getattr(config, part), **values)})
  with pytest.raises(ValueError) as error:
    runs.resolve(config)
  assert message in str(error.value)


def test_a_turn_leaves_the_other_head_alone(data):
  """Two steps of digit, one of is, with Adam's momentum and weight decay."""
  graph = runs.build(_options(
      data, 'unused', tasks=(), task_schedule='2,1',
      optimizer=dict(optimizer='adam'), schedule=dict(learning_rate=.01)))
  assert 'Tasks train in turns: 2 steps of digit, 1 step of is.' in graph.notes
  head = tf.trainable_variables('LeNet/fc4')
  trunk = tf.trainable_variables('LeNet/conv1')
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    for step in range(6):
      before = session.run([head, trunk])
      session.run(graph.train_op)
      after = session.run([head, trunk])
      # The first ten outputs are the digits.
      changed = {name: any((old[..., part] != new[..., part]).any()
                           for old, new in zip(before[0], after[0]))
                 for name, part in (
                     ('digit', slice(10)), ('is', slice(10, 12)))}
      assert changed == {'digit': step % 3 < 2, 'is': step % 3 == 2}
      assert any((old != new).any() for old, new in zip(before[1], after[1]))


def test_weights_by_uncertainty_are_trained(data):
  graph = runs.build(_options(
      data, 'unused', tasks=('digit:1', 'is:0.5'),
      task_weighting='uncertainty', weight_decay=0.0,
      schedule=dict(learning_rate=.1), warm_start=dict(
          trainable_scopes=('LeNet/fc4',))))
  assert ('Weights of the tasks: times exp(-s), with an s each that is '
          'trained.') in graph.notes
  logs = tf.trainable_variables('log_variance')
  assert [v.op.name for v in logs] == ['log_variance/digit', 'log_variance/is']
  assert set(logs) < set(graph.trained_variables)
  losses = tf.losses.get_losses()
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    *values, _ = session.run(losses + [graph.train_op])
    # The gradient of exp(-s) L + s / 2 at s = 0 is 1 / 2 - L.
    np.testing.assert_allclose(
        session.run(logs), [-.1 * (.5 - loss) for loss in values], rtol=1e-4)


def test_weights_of_a_yes(data, tmp_path):
  (tmp_path / 'weights.csv').write_text('is:odd,3\n')
  losses = []
  for weights in (None, str(tmp_path / 'weights.csv')):
    with tf.Graph().as_default(), tf.Session() as session:
      graph = runs.build(_options(
          data, 'unused', positive_weights=weights, cpu_threads=1))
      session.run([tf.global_variables_initializer(), tf.tables_initializer()])
      losses.append(session.run(tf.losses.get_losses('is_loss')[0]))
      assert ('Weights of a yes: from 1 (is:big) to 3 (is:odd).' in
              graph.notes) == bool(weights)
  assert losses[0] < losses[1]


def test_other_tasks_do_not_resume(data, trained):
  with pytest.raises(ValueError, match='what differs is the number of classes'):
    loop.train(_options(data, trained, 3, tasks=('digit',)))
