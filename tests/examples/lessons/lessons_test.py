"""Each lesson, made short: what it claims would fail here if it were false."""
import os
import pathlib

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from examples.lessons import attributes
from examples.lessons import compare_embeddings
from examples.lessons import deep_cnn
from examples.lessons import four_steps
from examples.lessons import learning_rate_decay
from examples.lessons import lesson
from examples.lessons import mnist_slim
from examples.lessons import siamese
from examples.lessons import triplet
from examples.lessons import two_tasks
from tests.examples.lessons import running

_DIRECTORY = pathlib.Path(lesson.__file__).parent


def test_flags(tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(lesson.runtime, 'start', lambda: None)
  monkeypatch.setattr('sys.argv', [
      'some/siamese.py', '--steps=3', '--output_dir=%s' % (tmp_path / 'new')])
  lesson.main(lambda flags: {
      'steps_done': flags.steps, 'share': 1 / 3, 'seeds': flags.seeds},
              'Shows.', steps=9, seeds=(2, 'number of seeds'))
  assert capsys.readouterr().out == (
      'steps done: 3\nshare: 0.3333\nseeds: 2\n')
  assert (tmp_path / 'new').is_dir()


@pytest.mark.parametrize('word, status, message', [
    ('--help', 0, 'number of training steps (default: 9)'),
    ('--help', 0, '(default: siamese-output)'),
    ('--steps=0', 2, 'must be a whole number, 1 or more; got 0'),
    ('--stepps=1', 2, 'unrecognized arguments: --stepps=1')])
def test_help_and_wrong_flags(word, status, message, monkeypatch, capsys):
  monkeypatch.setattr('sys.argv', ['some/siamese.py', word])
  with pytest.raises(SystemExit) as stopped:
    lesson.main(None, 'Shows.', steps=9)
  assert stopped.value.code == status
  assert message in ' '.join(''.join(capsys.readouterr()).split())


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
  results = running.run(triplet, tmp_path, 40)
  assert results['fraction_positive_last'] < results['fraction_positive_first']
  assert results['nearest_accuracy_after'] > .8
  assert results['diagnosis'] == 'not collapsed'
  assert len((tmp_path / 'embeddings.tsv').read_text().splitlines()) == 400
  assert Image.open(str(tmp_path / 'sprite.png')).size == (560, 560)


def test_attributes(tmp_path):
  results = running.run(attributes, tmp_path, 60)
  for name in ('odd_accuracy', 'above_5_accuracy'):
    assert results['exact_match'] <= results[name]
    assert results[name] > .75
  assert results['digit_accuracy'] > .7


def test_two_tasks(tmp_path):
  results = running.run(two_tasks, tmp_path, 60)
  assert (results['steps_of_digits'], results['steps_of_turned']) == (40, 20)
  assert results['digits_accuracy'] > .6 and results['turned_accuracy'] > .4
  # Each is asked about half of the images.
  assert results['accuracy'] == pytest.approx(
      (results['digits_accuracy'] + results['turned_accuracy']) / 2)


def test_deep_cnn(tmp_path):
  results = running.run(deep_cnn, tmp_path, 2)
  assert results['parameters'] == 1068298
  # Of ten equally likely classes; the initial logits are small.
  assert results['loss_first'] == pytest.approx(np.log(10), abs=.1)


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
  trained = compare_embeddings.accuracy('batch hard', 60, 2)
  assert .5 < untrained and trained > untrained + .01
