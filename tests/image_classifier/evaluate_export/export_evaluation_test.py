"""Evaluations of exports."""
import json
import os
import shutil

import numpy as np
import pytest

import eval_image_classifier
from image_classifier import options
from image_classifier.evaluate import evaluation
from image_classifier.evaluate_export import export_evaluation
from image_classifier.evaluate_export import networks
from image_classifier.export import export
from image_classifier.inference import exports
from slim_common import flags
from tests.image_classifier import evaluations

# ONNX is tested in tests/image_classifier/export/onnx_model_test.py.
_FORMS = [form for form in exports.FORMS if form != 'onnx']


@pytest.fixture(name='exported', scope='module')
def _exported(trained, tmp_path_factory):
  """The directory of every form of a trained LeNet, of two images a batch."""
  directory = str(tmp_path_factory.mktemp('whole') / 'export')
  export.export(flags.parse([
      '--checkpoint_path=%s' % trained, '--output_dir=' + directory,
      '--batch_size=2', '--tflite', '--int8', '--calibration_examples=20'],
                            options.Export)[0])
  return directory


def _options(graph, *words):
  return flags.parse(['--graph=%s' % graph, *words], options.Evaluate)[0]


@pytest.mark.parametrize('form', ['', 'model.tflite'])
@pytest.mark.slow
def test_a_form_is_evaluated_as_its_checkpoint(
    digits, trained, exported, tmp_path, form, capsys):
  # Three batches; the last one is filled up for the network.
  evaluations.rewrite_digits(
      digits, tmp_path / 'data', [str(digit) for digit in range(10)],
      lambda digit: [digit], 33)
  words = ['--dataset_dir=%s' % (tmp_path / 'data'), '--batch_size=15']
  expected = evaluation.evaluate(flags.parse(words + [
      '--checkpoint_path=%s' % trained, '--eval_dir='],
                                             options.Evaluate)[0], quiet=True)
  files = {name: str(tmp_path / name) for name in [
      'results_file.json', 'predictions_file.csv'] + [
          'confusion_matrix.csv'] * (not form)}
  eval_image_classifier.main(_options(
      os.path.join(exported, form), '--eval_dir=%s' % (tmp_path / 'eval'),
      *words, *['--%s=%s' % (name.split('.')[0], path)
                for name, path in files.items()]))
  with open(files['results_file.json']) as file:
    results = json.load(file)
  assert list(results['metrics']) == list(expected)
  np.testing.assert_allclose(
      list(results['metrics'].values()), list(expected.values()), rtol=1e-4)
  assert (results['examples'], results['step']) == (33, 60)
  assert results['checkpoint'] == 'model.ckpt-60'
  assert results['graph'].startswith(exported)
  assert results['moving_averages']
  assert all(os.path.getsize(path) for path in files.values())
  assert os.listdir(str(tmp_path / 'eval'))
  printed = capsys.readouterr().out
  assert 'From model.json: --preprocessing_name=lenet ' in printed
  assert 'Counted 33 examples at step 60' in printed


def test_the_data_come_from_the_run_around_the_export(exported, trained):
  inside = trained / 'export'
  shutil.copytree(exported, str(inside))
  results = export_evaluation.evaluate(_options(
      inside / 'frozen_inference_graph.pb', '--max_num_batches=1',
      '--eval_dir='), quiet=True)
  shutil.rmtree(str(inside))
  assert 0 < results['Accuracy'] <= 1


def test_a_record_of_an_older_export(digits, exported, tmp_path):
  """Without what the training and the channels were."""
  with open(os.path.join(exported, 'model.json')) as file:
    record = json.load(file)
  old = {name: record[name] for name in (
      'model_name', 'num_classes', 'labels_offset', 'input', 'input_shape',
      'image_size', 'outputs', 'classifier_activation', 'historic_names',
      'files', 'preprocessing_name', 'preprocessing', 'use_grayscale',
      'averaged_weights', 'batch_norm_folded', 'quantization_aware',
      'checkpoint', 'global_step', 'tensorflow', 'python')}
  form = 'frozen_inference_graph.pb'
  for name in (form, 'labels.txt'):
    shutil.copy(os.path.join(exported, name), str(tmp_path))
  (tmp_path / 'model.json').write_text(json.dumps(old))
  words = ['--eval_dir=', '--dataset_dir=' + digits, '--max_num_batches=1']
  assert export_evaluation.evaluate(_options(
      tmp_path / form, '--dataset_name=mnist', *words), quiet=True) == (
          export_evaluation.evaluate(
              _options(os.path.join(exported, form), *words), quiet=True))


def test_comparison(digits, trained, exported, tmp_path, capsys):
  path = tmp_path / 'rows.json'
  arguments = ['--compare', '--dataset_dir=' + digits, '--batch_size=20',
               '--max_num_batches=1']
  eval_image_classifier.main(_options(
      exported, '--checkpoint_path=%s' % trained, '--results_file=%s' % path,
      *arguments))
  rows = json.loads(path.read_text())
  assert [row['form'] for row in rows] == ['checkpoint'] + _FORMS
  first = rows[0]['metrics']['Accuracy']
  for row in rows:
    is_exact = row['form'] != 'int8'
    assert row['agreement'] == 1 if is_exact else row['agreement'] > 0.9
    assert row['metrics']['Accuracy'] == pytest.approx(
        first, abs=1e-9 if is_exact else 0.1)
    assert row['milliseconds'] > 0
  lines = capsys.readouterr().out.splitlines()
  start = lines.index('form          Accuracy  same class  ms per image')
  assert [line.split()[0] for line in lines[start + 1:start + 6]] == (
      ['checkpoint'] + _FORMS)
  assert lines[start + 1].split()[1:3] == ['%.4f' % first, '1.0000']


def test_a_comparison_leaves_out_what_is_missing(
    digits, exported, tmp_path, capsys):
  shutil.copytree(exported, str(tmp_path / 'some'))
  for name in ('model_int8.tflite', 'frozen_inference_graph.pb'):
    os.remove(str(tmp_path / 'some' / name))
  shutil.rmtree(str(tmp_path / 'some' / 'saved_model'))
  rows = export_evaluation.evaluate(_options(
      tmp_path / 'some', '--compare', '--dataset_dir=' + digits,
      '--max_num_batches=1'))
  assert [row.form for row in rows] == ['tflite']
  lines = capsys.readouterr().out.splitlines()
  for line in (
      'Without the checkpoint: model.ckpt-60 is not beside the export; give '
      '--checkpoint_path.',
      'Without saved_model: there is no saved_model; '
      'export_inference_graph.py writes it.',
      'Without int8: there is no model_int8.tflite; '
      'export_inference_graph.py --int8 writes it.'):
    assert line in lines


def test_the_table_of_a_comparison_of_several_labels():
  row = export_evaluation.Row(
      'int8', {'Mean_Average_Precision': 0.25}, 0.5, 12.0)
  assert export_evaluation.table([row]) == [
      'form          Mean_Average_Precision  same class  ms per image',
      'int8                          0.2500      0.5000        12.000']


def test_the_first_batch_does_not_count_for_the_time():
  network = networks.BackendNetwork(None, exports.Exported('', {}, []))
  network.times = [9.0, 0.001, 0.002, 0.003]
  assert network.milliseconds() == 2.0
  network.times = [9.0]
  assert network.milliseconds() == 9000.0


@pytest.mark.parametrize('word, message', [
    ('--checkpoint_path=run', 'give one of the two, or --compare, which'),
    ('--checkpoint_scope=net', 'give one of the two, or --compare, which'),
    ('--model_name=lenet', 'the model.json of an export has its value; leave'),
    ('--eval_image_size=28', 'the model.json of an export has its value'),
    ('--moving_average_decay=0', 'the model.json of an export has its value'),
    ('--quantize', 'the model.json of an export has its value; leave it out'),
    ('--preprocessing_name=vgg', 'the model.json of an export has its value'),
    ('--use_grayscale', 'the model.json of an export has its value; leave it'),
    ('--labels_offset=0', 'the model.json of an export has its value; leave'),
    ('--eval_interval_secs=1', 'an export does not change, and is evaluated'),
    ('--eval_timeout_secs=1', 'an export does not change, and is evaluated'),
    ('--max_number_of_steps=1', 'an export does not change, and is evaluated'),
    ('--recalibrate_batch_norm=1', 'the weights of an export are fixed: '
     'recalibrate its checkpoint, and export that'),
    ('--recalibrated_checkpoint=a', 'the weights of an export are fixed'),
    ('--master=grpc://a', 'an export runs as one copy, in this process; leave'),
    ('--num_clones=2', 'an export runs as one copy, in this process'),
    ('--clone_on_cpu', 'an export runs as one copy, in this process')])
def test_flags_that_do_not_go_with_an_export(word, message):
  flag = word.split('=')[0]
  with pytest.raises(ValueError, match='%s does not go with --graph: %s' % (
      flag, message)):
    export_evaluation.evaluate(_options('export', word))


@pytest.mark.parametrize('word', [
    '--predictions_file=a.csv', '--confusion_matrix=a.csv', '--eval_dir=a'])
def test_flags_that_do_not_go_with_a_comparison(exported, word):
  with pytest.raises(ValueError, match='%s does not go with --compare: it is '
                     'of one network: give one form of the export with '
                     '--graph, without --compare' % word.split('=')[0]):
    export_evaluation.evaluate(_options(exported, '--compare', word))


def test_a_comparison_needs_a_directory(exported):
  with pytest.raises(ValueError, match='--compare compares the forms of an '
                     'export: give its directory with --graph'):
    eval_image_classifier.main(flags.parse(['--compare'], options.Evaluate)[0])
  path = os.path.join(exported, 'model.tflite')
  with pytest.raises(ValueError, match='--compare needs the directory of an '
                     'export, with model.json and every form; --graph=.*lite '
                     'is none.'):
    export_evaluation.evaluate(_options(path, '--compare'))


def test_data_that_do_not_fit(digits, exported, tmp_path):
  with pytest.raises(ValueError, match='--dataset_dir is required: an export '
                     'does not hold the directory of its data.'):
    export_evaluation.evaluate(_options(exported, '--eval_dir='))
  evaluations.rewrite_digits(
      digits, tmp_path / 'data', ['even', 'odd'], lambda digit: [digit % 2], 9)
  with pytest.raises(ValueError, match='The export has 10 classes and the '
                     'dataset 2: check --dataset_name.'):
    export_evaluation.evaluate(_options(
        exported, '--eval_dir=', '--dataset_dir=%s' % (tmp_path / 'data')),
                               quiet=True)


def test_images_that_do_not_fit():
  network = networks.BackendNetwork(None, exports.Exported(
      '', {'input_shape': [None, 28, 28, 1]}, []))
  with pytest.raises(ValueError, match='The export takes images of 28x28x1 and '
                     'the dataset gives 28x28x3: check --dataset_name.'):
    network.logits(np.zeros([2, 28, 28, 3]))
