"""Each lesson, made short: what it claims would fail here if it were false."""
import argparse
import json
import os
import pathlib

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from examples.lessons import attributes
from examples.lessons import compare_embeddings
from examples.lessons import deep_cnn
from examples.lessons import experiment
from examples.lessons import four_steps
from examples.lessons import learning_rate_decay
from examples.lessons import lesson
from examples.lessons import mnist_slim
from examples.lessons import siamese
from examples.lessons import triplet
from examples.lessons import triplet_search
from examples.lessons import two_tasks
from tests.examples.lessons import running

_DIRECTORY = pathlib.Path(lesson.__file__).parent


def test_results_are_printed(tmp_path, capsys):
  flags = argparse.Namespace(seed=0, output_dir=str(tmp_path / 'new'))
  lesson.main(lambda flags: {'steps_done': 3, 'share': 1 / 3}, flags)
  assert capsys.readouterr().out == 'steps done: 3\nshare: 0.3333\n'
  assert (tmp_path / 'new').is_dir()


def test_captions_of_images_do_not_run_into_each_other(tmp_path):
  """Two captions of 20 digits, 6 pixels each, above images of 10 pixels."""
  path, captions = str(tmp_path / 'rows.png'), ['0123456789' * 2] * 2
  lesson.draw_rows(path, [(captions, [np.ones([10, 10, 1])] * 2)], scale=1)
  canvas = np.asarray(Image.open(path).convert('L'))
  assert canvas.shape[1] >= 2 * 20 * 6
  is_white = (canvas[:14] > 250).all(axis=0)
  assert is_white[4 + 20 * 6:4 + 21 * 6].all() and not is_white[140:200].all()


def _lessons():
  """Returns {name as in the page: text of the module}."""
  paths = sorted(_DIRECTORY.glob('**/*.py'))
  texts = {'.'.join(path.relative_to(_DIRECTORY).with_suffix('').parts):
           path.read_text() for path in paths}
  return {name: text for name, text in texts.items()
          if "if __name__ == '__main__':" in text}


def test_the_page_names_every_lesson_and_each_says_how_to_run_it():
  page = (_DIRECTORY.parent / 'README.md').read_text()
  lessons = _lessons()
  assert len(lessons) > 18
  for name, text in lessons.items():
    assert '| `%s` |' % name in page
    assert '\n  python -m examples.lessons.%s\n' % name in text


def test_four_steps(tmp_path):
  """Accuracy after 50 steps, seeds 0 to 4: 0.957 to 0.990."""
  results = running.run(four_steps, tmp_path, 50)
  assert results['loss_last'] < results['loss_first'] / 2
  assert results['accuracy_after'] > max(.9, results['accuracy_before'] + .1)


def test_mnist_slim(tmp_path):
  results = running.run(mnist_slim, tmp_path, 40)
  assert results['accuracy'] > results['accuracy_before'] + .3
  assert results['loss_last'] < results['loss_first'] / 2
  assert os.path.exists(results['checkpoint'] + '.index')


def test_the_rate_in_the_summaries_is_that_of_the_formula(tmp_path):
  results = running.run(learning_rate_decay, tmp_path, 31)
  for step in (0, 1, 5, 15, 30):
    assert results['rates'][step] == pytest.approx(.1 * .9 ** (step / 10))
  assert results['loss_last'] < results['loss_first']


@pytest.mark.slow
def test_siamese(tmp_path):
  results = running.run(siamese, tmp_path, 40)
  assert results['variables'] == 10  # Those of one network, not of two.
  assert results['gap_after'] > results['gap_before'] + .05
  assert results['nearest_accuracy_after'] > (
      results['nearest_accuracy_before'])
  assert (tmp_path / 'retrieval.png').exists()


def test_two_equal_inputs_of_a_siamese_network_are_one_point():
  images = tf.constant(lesson.digits(count=3)[0])
  one, other = siamese.embed(images), siamese.embed(images, reuse=True)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    np.testing.assert_array_equal(*session.run([one, other]))


def test_pairs_are_of_one_digit_or_of_two():
  labels = np.arange(40) % 10
  left, right, is_same = siamese.pairs(labels, 400, np.random.RandomState(0))
  np.testing.assert_array_equal(labels[left] == labels[right], is_same)
  assert (left != right).all() and .4 < is_same.mean() < .6


def test_triplet(tmp_path):
  results = running.run(
      triplet, tmp_path, 40, params=experiment.Experiment())
  assert results['fraction_positive_last'] < (
      results['fraction_positive_first'] / 2)
  assert results['nearest_accuracy_after'] > (
      results['nearest_accuracy_before'] + .03)
  assert results['diagnosis'] == 'not collapsed'
  tags = {value.tag for event in tf.train.summary_iterator(
      str(next(tmp_path.glob('events*')))) for value in event.summary.value}
  assert tags == {
      'batch_all', 'batch_hard', 'fraction_positive', 'hardest_positive',
      'hardest_negative', 'mean_norm', 'positive_distance', 'negative_distance'}
  assert len((tmp_path / 'embeddings.tsv').read_text().splitlines()) == 400
  assert Image.open(str(tmp_path / 'sprite.png')).size == (560, 560)


@pytest.mark.parametrize('changes', [
    {'triplet_strategy': 'batch_hard', 'learning_rate': 1e-4},
    {'triplet_strategy': 'batch_all', 'squared': True, 'image_size': 20,
     'use_batch_norm': True, 'embedding_size': 16, 'batch_size': 32}])
def test_an_experiment(tmp_path, changes):
  params = experiment.Experiment(
      num_channels=4, train_size=128, num_epochs=3, eval_size=50, **changes)
  results = running.run(triplet, tmp_path, None, params=params)
  written = json.loads((tmp_path / 'results.json').read_text())
  assert written['params'] == params._asdict()
  assert len(written['fractions']) == 3 * 128 // params.batch_size
  assert written['nearest_accuracy_after'] == results['nearest_accuracy_after']
  # What was written is read as the same experiment.
  (tmp_path / 'again.json').write_text(json.dumps(written['params']))
  assert experiment.read(str(tmp_path / 'again.json')) == params
  rows = np.loadtxt(str(tmp_path / 'embeddings.tsv'))
  assert rows.shape == (400, params.embedding_size)
  triplet.embed(tf.zeros([1, 28, 28, 1]), params)
  assert params.use_batch_norm == any(
      'BatchNorm' in variable.op.name for variable in tf.global_variables())


def test_strategies_differ():
  """In which loss each half of the training makes small, and how fast."""
  found = {}
  for strategy in experiment.STRATEGIES:
    with tf.Graph().as_default():
      embeddings = tf.get_variable('e', initializer=tf.constant(
          [[0., 0.], [3., 4.], [1., 0.], [0., 2.]]))
      steps, _ = triplet.make_steps(
          [0, 0, 1, 1], embeddings,
          experiment.Experiment(triplet_strategy=strategy))
      moved = []
      with tf.Session() as session:
        for step in steps:
          session.run(tf.global_variables_initializer())
          before = session.run(embeddings)
          session.run(step)
          moved.append(np.abs(session.run(embeddings) - before).max())
      found[strategy] = moved
  assert found['batch_all'] == pytest.approx([1e-3, 1e-3], rel=1e-2)
  assert found['batch_hard'] == pytest.approx([1e-3, 1e-3], rel=1e-2)
  assert found['batch_all_then_hard'] == pytest.approx([1e-3, 1e-4], rel=1e-2)


@pytest.mark.parametrize('text, message', [
    ('{', 'p.json: '),
    ('3', 'p.json has no parameters; write such as {"margin": 0.5}.'),
    ('{"margn": 1}', 'p.json: there is no parameter margn; did you mean '
     'margin? There are learning_rate, batch_size,'),
    ('{"margin": 0}', 'margin is 0; it must be a number above 0.'),
    ('{"margin": Infinity}', 'margin is Infinity; it must be a number above'),
    ('{"margin": "1"}', 'margin is "1"; it must be a number above 0.'),
    ('{"num_epochs": 1.5}',
     'num_epochs is 1.5; it must be a whole number above 0.'),
    ('{"batch_size": 60}', 'batch_size is 60; it must be a multiple of 8 of at '
     'least 16, as a batch holds 8 digits with two images each or more.'),
    ('{"train_size": 50000}', 'train_size is 50000; it must be a whole number '
     'of at least 100 and at most 4000.'),
    ('{"squared": 1}', 'squared is 1; it must be true or false.'),
    ('{"triplet_strategy": "all"}', 'triplet_strategy is "all"; it must be one '
     'of batch_all, batch_hard, batch_all_then_hard.')])
def test_wrong_parameters(text, message, tmp_path):
  path = tmp_path / 'p.json'
  path.write_text(text)
  with pytest.raises(argparse.ArgumentTypeError) as error:
    experiment.read(str(path))
  assert message in str(error.value) and '\n' not in str(error.value)


def test_parameters_that_the_file_leaves_out(tmp_path):
  path = tmp_path / 'p.json'
  path.write_text('{"margin": 1, "squared": true}')
  assert experiment.read(str(path)) == experiment.Experiment(
      margin=1, squared=True)
  with pytest.raises(argparse.ArgumentTypeError, match='No such file'):
    experiment.read(str(tmp_path / 'none.json'))


def test_a_search_trains_with_each_rate(tmp_path, monkeypatch):
  assert triplet_search.RATES == (1e-4, 3e-4, 1e-3, 3e-3)
  monkeypatch.setattr(triplet_search, 'RATES', (1e-4, 3e-3))
  results = running.run(
      triplet_search, tmp_path, 4, params=experiment.Experiment(
          num_channels=4, eval_size=50))
  rates = [json.loads(path.read_text())['params']['learning_rate']
           for path in tmp_path.glob('*/results.json')]
  assert sorted(rates) == [1e-4, 3e-3]
  accuracies = {name: value for name, value in results.items()
                if name.startswith('learning_rate_')}
  assert results[results['best']] == max(accuracies.values())


def test_what_stands_for_a_hidden_attribute_does_not_matter(
    tmp_path, monkeypatch):
  found = []
  for unknown in (-1, 1e6):
    monkeypatch.setattr(attributes, 'UNKNOWN', unknown)
    found.append(running.run(attributes, tmp_path, 5)['attributes_loss_last'])
  assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_attributes(tmp_path):
  results = running.run(attributes, tmp_path, 60)
  for name in ('odd_accuracy', 'above_5_accuracy'):
    assert results['exact_match'] <= results[name]
    assert results[name] > .75
  assert results['digit_accuracy'] > .7


def test_two_tasks(tmp_path):
  results = running.run(two_tasks, tmp_path, 60)
  # Adam would go on with the momentum of a head whose turn it is not.
  assert results['steps_that_changed_digits'] == 40
  assert results['steps_that_changed_turned'] == 20
  assert results['digits_accuracy'] > .6 and results['turned_accuracy'] > .4
  # Each is asked about half of the images.
  assert results['accuracy'] == pytest.approx(
      (results['digits_accuracy'] + results['turned_accuracy']) / 2)


def test_deep_cnn(tmp_path):
  results = running.run(deep_cnn, tmp_path, 20)
  assert results['parameters'] == 1068298
  # Of ten equally likely classes; the initial logits are small.
  assert results['loss_first'] == pytest.approx(np.log(10), abs=.1)
  assert 4.6 < results['total_loss_first'] < 4.75
  assert results['loss_last'] < results['loss_first']


def test_weight_decay_of_deep_cnn_is_that_of_two_layers():
  deep_cnn.network(tf.zeros([1, 24, 24, 3]))
  decayed = [v for v in tf.trainable_variables() if v.op.name in (
      'local384/weights', 'local192/weights')]
  terms = tf.losses.get_regularization_losses()
  assert len(decayed) == len(terms) == 2
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    found, weights = session.run([tf.losses.get_regularization_loss(), decayed])
  # A normal distribution cut off at two deviations has 0.774 of its variance.
  assert found == pytest.approx(
      .004 / 2 * .774 * .04 ** 2 * (2304 * 384 + 384 * 192), rel=.02)
  assert found == pytest.approx(
      .004 / 2 * sum((each ** 2).sum() for each in weights), rel=1e-4)


@pytest.mark.parametrize('is_training', [False, True])
def test_crops_of_deep_cnn_have_mean_0_and_deviation_1(is_training):
  image = tf.constant(deep_cnn.colored(lesson.digits(count=1)[0], 0)[0])
  with tf.Session() as session:
    crop = session.run(deep_cnn.preprocess(image, is_training))
  assert crop.shape == (24, 24, 3)
  assert crop.mean() == pytest.approx(0, abs=1e-4)
  assert crop.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize('step, decay', [
    (0, .1), (9, .526), (90, .91), (10 ** 6, .9999)])
def test_averages_follow_quickly_at_first(step, decay):
  value = tf.Variable(1.0)
  averages = deep_cnn.averages_at(step)
  update = averages.apply([value])
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    value.load(0.0, session)
    session.run(update)
    assert session.run(averages.average(value)) == pytest.approx(
        decay, abs=5e-4)


@pytest.mark.slow
def test_the_comparison_trains():
  """100 steps, seeds 0 to 4: mean 0.910 untrained, 0.955 trained."""
  untrained = compare_embeddings.accuracy('untrained', 0, 2)
  assert untrained > .5
  for kind in compare_embeddings.KINDS[1:]:
    assert compare_embeddings.accuracy(kind, 60, 2) > untrained + .01


def test_the_page_has_the_table_of_five_seeds():
  """As the program writes it, of the numbers that are in it."""
  page = (_DIRECTORY.parent / 'README.md').read_text().splitlines()
  found = {}
  for kind in compare_embeddings.KINDS:
    row, = [line for line in page if line.startswith('| %s |' % kind)]
    found[kind] = [float(cell) for cell in row.split('|')[5:-1]]
  assert [len(values) for values in found.values()] == [5, 5, 5]
  start = page.index(compare_embeddings.table(found)[0])
  for line, expected in zip(page[start:], compare_embeddings.table(found)):
    cells = [part.split('|') for part in (line, expected)]
    assert cells[0][:2] + cells[0][3:] == cells[1][:2] + cells[1][3:]
    if '0.' in line:  # The mean is of more digits than the table has.
      assert float(cells[0][2]) == pytest.approx(float(cells[1][2]), abs=.0011)
