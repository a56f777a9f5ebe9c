"""Compares the networks with their goldens, as far as `golden_cases` says."""
import sys

import pytest
import tensorflow.compat.v1 as tf

from tests.golden import renew
from tests.nets import golden_builds
from tests.nets import golden_cases
from tests.nets import golden_numbers
from tests.nets import manifests

pytestmark = pytest.mark.slow

_CASES = golden_cases.CASES


def test_every_golden_is_of_a_case():
  assert {path.stem for path in manifests.FOLDER.iterdir()} == set(_CASES)


@pytest.mark.parametrize('name', [
    name for name, case in _CASES.items()
    if case.tested != golden_cases.NONE])
def test_network_is_as_its_golden(name):
  lines = golden_builds.differences(
      golden_builds.tested(_CASES[name]), manifests.read(name))
  assert not lines, '\n'.join(lines)


@pytest.fixture
def folder(monkeypatch, tmp_path):
  """Keeps the goldens of a test apart."""
  monkeypatch.setattr(manifests, 'FOLDER', tmp_path)
  return tmp_path


def _renew(monkeypatch, *arguments):
  monkeypatch.setattr(sys, 'argv', ['renew'] + list(arguments))
  renew.main()


def test_renewing_and_checking(monkeypatch, folder, capsys):
  _renew(monkeypatch, '--only=lenet*')
  assert capsys.readouterr().out == (
      'lenet renewed\nlenet_gray renewed\nlenet_features renewed\n')
  texts = {path.stem: path.read_text() for path in folder.iterdir()}
  assert sorted(texts) == ['lenet', 'lenet_features', 'lenet_gray']
  assert '"without": ["LeNet/fc4/weights", ' in texts['lenet_features']
  _renew(monkeypatch, '--only=lenet_gray')
  assert capsys.readouterr().out == 'lenet_gray is as it was\n'
  (folder / 'lenet.json').write_text(
      texts['lenet'].replace('"update_ops": 0', '"update_ops": 1', 1))
  with pytest.raises(SystemExit, match='^1 of 3 differ: lenet$'):
    _renew(monkeypatch, '--check', '--only=lenet*')
  assert capsys.readouterr().out == (
      'lenet differs:\n  training: update_ops is 0, expected 1\n'
      'lenet_gray is as it was\nlenet_features is as it was\n')


def test_a_pattern_that_fits_nothing_is_refused(monkeypatch, capsys):
  with pytest.raises(SystemExit):
    _renew(monkeypatch, '--only=lenets')
  assert '--only=lenets fits none of: alexnet_v2, ' in capsys.readouterr().err


@pytest.mark.usefixtures('folder')
def test_a_network_without_a_golden_is_told_how_to_get_one():
  with pytest.raises(FileNotFoundError, match=(
      'No golden for mine. .*python -m tests.golden.renew --only=mine$')):
    manifests.read('mine')


def test_manifests_survive_being_written_and_read(folder):
  training = {
      'net': 'a/b', 'update_ops': 2,
      'variables': {'a/b/weights': '3x4 tmr', 'a/b/biases': '4 tm',
                    'a/c/d/weights': '4 t', 'e': ' '},
      'end_points': {'a': '?x4', 'a/b': '?x?x3', 'a/b/c': '3', 'd': '2'}}
  evaluation = {
      'net': 'a/b', 'update_ops': 0,
      'variables': dict(training['variables'], e='5 '),
      'end_points': {'a/b': '?x?x3', 'a/b/c': '3', 'd': '2'}}
  manifest = {'training': training, 'evaluation': evaluation}
  (folder / 'base.json').write_text(manifests.text(manifest))
  assert manifests.read('base') == manifest
  other = {'training': evaluation, 'evaluation': training}
  text = manifests.text(other, like='base')
  (folder / 'other.json').write_text(text)
  assert manifests.read('other') == other
  assert '"variables": {"like": "base", "with": {"e": "5 "}}' in text


def test_every_difference_is_told():
  found = {'same': 1, 'other': {'a': '2', 'b': '3'}, 'new': 4}
  expected = {'same': 1, 'other': {'a': '5', 'c': '6'}}
  assert manifests.differences(found, expected, 'training') == [
      'training: other: a is 2, expected 5',
      'training: other: c is missing, expected 6',
      'training: other: b is new: 3',
      'training: new is new: 4']


def test_numbers_may_differ_by_a_thousandth_of_their_deviation():
  expected = {'mean': 1.0, 'deviation': 2.0, 'values': [0.0, 4.0],
              'regularization': 3.0}
  assert not golden_numbers.differences(
      dict(expected, values=[0.0015, 4.005]), expected)
  assert golden_numbers.differences(
      dict(expected, values=[0.0, 4.007], regularization=3.004), expected) == [
          'numbers: values is [0.0, 4.007], expected [0.0, 4.0]',
          'numbers: regularization is 3.004, expected 3.0']


def test_numbers_depend_on_images_and_on_every_kind_of_weights():
  images = tf.placeholder(tf.float32, [None, 2])
  net, results = images, []
  for name, shape in (('weights', [2, 3]), ('gamma', [3]), ('beta', [3])):
    variable = tf.get_variable(name, shape)
    net = tf.matmul(images, variable) if len(shape) > 1 else variable + net
    results.append(golden_numbers.run(net, images, gain=1))
  assert len({result['mean'] for result in results}) == 3
  assert all(len(set(result['values'])) == 6 for result in results)
  assert all(result['regularization'] == 0 for result in results)
