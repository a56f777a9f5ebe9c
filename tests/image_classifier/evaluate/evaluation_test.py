"""Evaluation, end to end, on the bundled digits."""
import csv
import glob
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.evaluate import evaluation
from slim_common import runtime
from tests.image_classifier import evaluations
from tests.image_classifier import training_runs as runs

_METRICS = ['Accuracy', 'Recall_5', 'Loss', 'Macro_Precision', 'Macro_Recall',
            'Macro_F1', 'Calibration_Error']
_NAMES = ['zero', 'one', 'two', 'three', 'four',
          'five', 'six', 'seven', 'eight', 'nine']


@pytest.fixture(scope='module')
def checkpoint(trained):
  """The prefix of a checkpoint."""
  return str(trained / 'model.ckpt-60')


@pytest.fixture(scope='module')
def few(digits, tmp_path_factory):
  """A directory with 200 of the digits."""
  directory = tmp_path_factory.mktemp('few') / 'digits'
  evaluations.rewrite_digits(
      digits, directory, _NAMES, lambda digit: [digit], 200)
  return directory


@pytest.fixture(scope='module')
def expected(few, checkpoint):
  """The metrics of these digits."""
  runtime.start()
  return evaluation.evaluate(
      evaluations.options_for(few, checkpoint, batch_size=200), quiet=True)


def _evaluate(digits, checkpoint, **changes):
  return evaluation.evaluate(
      evaluations.options_for(digits, checkpoint, **changes))


@pytest.mark.parametrize('batch_size, threads, clones', [
    (60, 4, 1), (7, 2, 1), (50, 1, 2), (11, 2, 3), (199, 4, 4)])
def test_every_example_counts_once(
    few, checkpoint, expected, capsys, batch_size, threads, clones):
  results = _evaluate(
      few, checkpoint, batch_size=batch_size,
      num_preprocessing_threads=threads, num_clones=clones, clone_on_cpu=True)
  assert 'Counted 200 examples at step 60.' in capsys.readouterr().out
  assert results == pytest.approx(expected, rel=1e-5)


def test_printed_metrics_and_summaries(digits, trained, tmp_path, capsys):
  results = _evaluate(digits, trained, eval_dir=str(tmp_path))
  out = capsys.readouterr().out
  assert list(results) == _METRICS
  for name, value in results.items():
    assert 'eval/%s[%.6g]' % (name, value) in out
  assert 'Counted 1000 examples at step 60.' in out
  assert 'class  examples  precision  recall     F1\nzero        100 ' in out
  assert runs.tags(tmp_path) == {'eval/' + name for name in _METRICS}
  # Guessing gives 0.1, 0.5 and 2.3.
  assert results['Accuracy'] > 0.6 and results['Recall_5'] > 0.9
  assert results['Loss'] < 1.5
  assert all(type(value) is float for value in results.values())


def test_beside_a_training_it_is_quiet_and_alone(
    few, checkpoint, expected, capsys):
  step = tf.train.get_or_create_global_step()
  with tf.Session() as session:
    session.run(step.initializer)
    operations = len(tf.get_default_graph().get_operations())
    results = evaluation.evaluate(
        evaluations.options_for(few, checkpoint), quiet=True)
    assert session.run(step) == 0
  assert capsys.readouterr().out == ''
  assert len(tf.get_default_graph().get_operations()) == operations
  assert results == pytest.approx(expected, rel=1e-5)


def test_fewer_batches_on_request(few, checkpoint, capsys):
  _evaluate(few, checkpoint, batch_size=15, num_clones=2,
            clone_on_cpu=True, max_num_batches=2)
  out = capsys.readouterr().out
  assert 'on 2 clones on the CPU.' in out
  assert 'Counted 60 examples' in out


def test_averages_are_evaluated_as_trained_or_on_request(
    few, checkpoint, tmp_path, capsys):
  averaged = _evaluate(few, checkpoint)
  assert 'From run.json: --moving_average_decay=0.9 ' in (
      capsys.readouterr().out)
  itself = _evaluate(few, checkpoint, moving_average_decay=0.0)
  assert '(or any value)' not in capsys.readouterr().out
  assert itself['Loss'] != pytest.approx(averaged['Loss'], rel=1e-3)
  # Without a record, the averages are named.
  for path in glob.glob(checkpoint + '.*'):
    shutil.copy(path, str(tmp_path))
  alone = str(tmp_path / os.path.basename(checkpoint))
  capsys.readouterr()
  assert _evaluate(few, alone)['Loss'] == pytest.approx(itself['Loss'])
  assert '--moving_average_decay=0.9999 (or any value)' in (
      capsys.readouterr().out)
  # Any number selects them, and asks for no line.
  for decay in (0.9, 0.0):
    assert _evaluate(few, alone, moving_average_decay=decay)['Loss'] == (
        pytest.approx(averaged['Loss']))
    assert '(or any value)' not in capsys.readouterr().out


def test_other_preprocessing(few, checkpoint, expected):
  results = _evaluate(few, checkpoint, preprocessing_name='cifarnet')
  assert results['Loss'] != pytest.approx(expected['Loss'], rel=1e-3)


def test_grayscale_images(few, checkpoint, expected, tmp_path):
  # An image folder is read in color.
  (tmp_path / 'image_folder_test_0.tfrecord').write_bytes(
      (few / 'mnist_test.tfrecord').read_bytes())
  info = (few / 'dataset_info.json').read_text()
  (tmp_path / 'dataset_info.json').write_text(info.replace(
      'mnist_test', 'image_folder_test_0').replace('mnist', 'image_folder'))
  with pytest.raises(ValueError, match='see --use_grayscale'):
    _evaluate(tmp_path, checkpoint, dataset_name='image_folder')
  results = _evaluate(
      tmp_path, checkpoint, dataset_name='image_folder', use_grayscale=True)
  assert results['Loss'] == pytest.approx(expected['Loss'], rel=1e-2)


def test_another_split(digits, checkpoint, capsys):
  _evaluate(digits, checkpoint, dataset_split_name='train', max_num_batches=1)
  assert 'on the 4000 examples of mnist/train.' in capsys.readouterr().out


def test_on_a_server(few, checkpoint, expected, capsys):
  server = tf.train.Server.create_local_server()
  results = _evaluate(few, checkpoint, master=server.target)
  assert results == pytest.approx(expected, rel=1e-5)
  assert 'Connecting to %s.\n' % server.target in capsys.readouterr().out


def test_the_loss_of_the_training(few, checkpoint, expected, tmp_path, capsys):
  for path in glob.glob(checkpoint + '.*'):
    shutil.copy(path, str(tmp_path))
  (tmp_path / 'run.json').write_text(json.dumps({'flags': {
      'model_name': 'lenet', 'moving_average_decay': 0.9, 'loss': 'focal',
      'focal_gamma': 0.5}}))
  copy = str(tmp_path / 'model.ckpt-60')
  flags = dict(results_file=str(tmp_path / 'r.json'), overwrite=True)
  focal = _evaluate(few, copy, **flags)
  assert 'Loss: focal with gamma 0.5.' in capsys.readouterr().out
  assert json.loads((tmp_path / 'r.json').read_text())['loss'] == 'focal'
  assert focal['Loss'] < 0.9 * expected['Loss']
  assert _evaluate(few, checkpoint, loss='focal', focal_gamma=0.5) == focal
  assert _evaluate(few, copy, loss='softmax') == pytest.approx(
      expected, rel=1e-5)


def test_independent_probabilities_of_the_classes(few, checkpoint, tmp_path):
  path = str(tmp_path / 'p.jsonl')
  _evaluate(few, checkpoint, loss='sigmoid', predictions_file=path, top_k=10)
  totals = [sum(top['probability'] for top in json.loads(line)['top'])
            for line in open(path)]
  assert max(abs(total - 1) for total in totals) > 0.01


def test_result_files(few, checkpoint, expected, tmp_path, capsys):
  flags = dict(
      results_file=str(tmp_path / 'new' / 'results.json'), top_k=3,
      predictions_file=str(tmp_path / 'predictions.csv'),
      confusion_matrix=str(tmp_path / 'matrix.csv'))
  _evaluate(few, checkpoint, **flags)
  out = capsys.readouterr().out
  assert all(path in out for path in flags.values() if path != 3)
  with open(flags['predictions_file'], newline='') as file:
    rows = list(csv.DictReader(file))
  assert len(rows) == len({row['file'] for row in rows}) == 200
  assert 'probability_3' in rows[0] and 'probability_4' not in rows[0]
  right = sum(row['label'] == row['predicted_1'] for row in rows)
  assert right == round(200 * expected['Accuracy'])
  matrix = np.loadtxt(flags['confusion_matrix'], int, delimiter=',', skiprows=1,
                      usecols=range(1, 11))
  assert matrix.sum() == 200 and np.trace(matrix) == right
  content = json.loads((tmp_path / 'new' / 'results.json').read_text())
  assert content['metrics'] == pytest.approx(expected, rel=1e-5)
  assert (content['examples'], content['step']) == (200, 60)
  assert content['flags']['top_k'] == 3
  assert [row['name'] for row in content['classes']][:2] == ['zero', 'one']
  with pytest.raises(ValueError, match='--results_file=.* exists'):
    _evaluate(few, checkpoint, **flags)
  _evaluate(few, checkpoint, overwrite=True, max_num_batches=1, **flags)
  assert len(open(flags['predictions_file']).readlines()) == 101


def test_the_matrix_is_plotted_if_matplotlib_is_installed(
    few, checkpoint, tmp_path, capsys, monkeypatch):
  flags = dict(confusion_matrix=str(tmp_path / 'm.csv'), max_num_batches=1)
  monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
  _evaluate(few, checkpoint, **flags)
  assert 'not plotted without matplotlib: pip install' in (
      capsys.readouterr().out)
  assert sorted(os.listdir(str(tmp_path))) == ['m.csv']
  monkeypatch.undo()
  pytest.importorskip('matplotlib')
  _evaluate(few, checkpoint, overwrite=True, **flags)
  assert sorted(os.listdir(str(tmp_path))) == ['m.csv', 'm.png']
  (tmp_path / 'm.csv').unlink()
  with pytest.raises(ValueError, match='m.png exists'):
    _evaluate(few, checkpoint, **flags)


@pytest.mark.parametrize('count', [199, 201])
def test_a_count_that_is_wrong_is_an_error_and_leaves_no_file(
    few, checkpoint, tmp_path, count):
  evaluations.with_count(few, tmp_path / 'copy', count)
  (tmp_path / 'out').mkdir()
  with pytest.raises(ValueError, match='The files hold 200 examples where %d '
                     'were expected' % count):
    _evaluate(tmp_path / 'copy', checkpoint,
              predictions_file=str(tmp_path / 'out' / 'p.jsonl'))
  assert not os.listdir(str(tmp_path / 'out'))


def test_records_that_cannot_be_read(few, checkpoint, tmp_path, capfd):
  evaluations.corrupt_images(few, tmp_path / 'bad', [3, 7, 199])
  flags = dict(digits=tmp_path / 'bad', checkpoint=checkpoint, batch_size=64)
  with pytest.raises(ValueError, match='Records cannot be read; '
                     '--on_bad_record=skip skips them:\n  record 3 of '
                     '.*\n  record 7 of '):
    _evaluate(**flags)
  with pytest.raises(ValueError, match='more than the 2 of --max_bad_records'):
    _evaluate(on_bad_record='skip', max_bad_records=2, **flags)
  _evaluate(
      on_bad_record='skip', results_file=str(tmp_path / 'r.json'), **flags)
  printed = capfd.readouterr()
  assert 'Counted 197 examples at step 60, skipped 3.' in printed.out
  assert 'records that cannot be read, 3 of at most 100:' in printed.err
  content = json.loads((tmp_path / 'r.json').read_text())
  assert (content['examples'], content['passed_over']) == (197, 3)
  # A missing record is not an unreadable one.
  evaluations.with_count(tmp_path / 'bad', tmp_path / 'copy', 201)
  with pytest.raises(ValueError, match='The files hold 197 examples where 201'):
    _evaluate(**dict(flags, digits=tmp_path / 'copy', on_bad_record='skip'))


def test_no_record_can_be_read(few, checkpoint, tmp_path):
  evaluations.corrupt_images(few, tmp_path / 'bad', range(200))
  with pytest.raises(ValueError, match='None of the 200 examples can be read'):
    _evaluate(tmp_path / 'bad', checkpoint, on_bad_record='skip',
              max_bad_records=200)


def test_several_labels(digits, checkpoint, tmp_path, capsys):
  evaluations.rewrite_digits(
      digits, tmp_path / 'multi', ['n%d' % i for i in range(10)],
      lambda digit: [digit, 9] if digit < 9 else [], 50, multi_label=True)
  flags = dict(batch_size=20, predictions_file=str(tmp_path / 'p.jsonl'),
               results_file=str(tmp_path / 'r.json'))
  results = _evaluate(tmp_path / 'multi', checkpoint, **flags)
  assert list(results)[:2] == ['Mean_Average_Precision', 'Micro_F1']
  assert {'Macro_F1', 'Exact_Match', 'Loss'} < set(results)
  assert 'eval/Mean_Average_Precision[' in capsys.readouterr().out
  rows = [json.loads(line) for line in open(flags['predictions_file'])]
  assert len(rows) == 50
  assert {tuple(row['label']) for row in rows} == (
      {(digit, 9) for digit in range(9)} | {()})
  classes = json.loads((tmp_path / 'r.json').read_text())['classes']
  assert classes[9]['examples'] == sum(bool(row['label']) for row in rows)
  with pytest.raises(ValueError, match='--confusion_matrix is for one label'):
    _evaluate(tmp_path / 'multi', checkpoint,
              confusion_matrix=str(tmp_path / 'm.csv'))


@pytest.mark.parametrize('offset', [1, 'auto'])
def test_classes_without_the_background(few, checkpoint, tmp_path, offset):
  evaluations.rewrite_digits(
      few, tmp_path / 'data', ['background'] + ['n%d' % i for i in range(10)],
      lambda digit: [digit + 1], 100)
  results = _evaluate(tmp_path / 'data', checkpoint, labels_offset=offset,
                      predictions_file=str(tmp_path / 'p.jsonl'))
  assert results == _evaluate(few, checkpoint, max_num_batches=1)
  row = json.loads((tmp_path / 'p.jsonl').read_text().splitlines()[0])
  assert row['label_name'] == 'n%d' % (row['label'] - 1)
  assert row['top'][0]['name'] == 'n%d' % (row['top'][0]['class'] - 1)


def test_an_offset_that_leaves_no_class(few, checkpoint):
  with pytest.raises(ValueError, match='--labels_offset=10 leaves none of the '
                     '10 classes'):
    _evaluate(few, checkpoint, labels_offset=10)
