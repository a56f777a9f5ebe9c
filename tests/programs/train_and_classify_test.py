"""The programs on the command line: files, signals, messages."""
import json
import os
import signal
import subprocess
import sys

import pytest

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
_SAMPLE = os.path.join(_ROOT, 'datasets', 'samples', 'mnist')


def _start(program, *words, **flags):
  arguments = [sys.executable, os.path.join(_ROOT, program)] + list(words) + [
      '--%s=%s' % item for item in flags.items()]
  return subprocess.Popen(
      arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True, env=dict(os.environ, PYTHONUNBUFFERED='1'),
      cwd=os.path.dirname(_ROOT))


def _run(program, *words, **flags):
  """Returns (exit status, standard output, standard error)."""
  process = _start(program, *words, **flags)
  out, err = process.communicate()
  return process.returncode, out, err


@pytest.fixture(scope='module', name='data')
def _data(tmp_path_factory):
  directory = str(tmp_path_factory.mktemp('data'))
  status, _, err = _run('download_and_convert_data.py', dataset_name='mnist',
                        dataset_dir=directory, source=_SAMPLE)
  assert status == 0, err
  return directory


def _training(data, train_dir, steps):
  return dict(
      dataset_name='mnist', dataset_dir=data, model_name='lenet',
      train_dir=train_dir, max_number_of_steps=steps, batch_size=10,
      optimizer='sgd', learning_rate_decay_type='fixed', log_every_n_steps=5)


def test_convert_train_evaluate_export_classify(data, tmp_path):
  model, export = str(tmp_path / 'model'), str(tmp_path / 'export')
  status, out, err = _run(
      'train_image_classifier.py', **_training(data, model, 10))
  assert (status, err) == (0, '')
  assert 'step 10 of 10' in out and '\r' not in out, 'plain lines in a file'
  status, out, err = _run(
      'eval_image_classifier.py', dataset_name='mnist', dataset_dir=data,
      model_name='lenet', checkpoint_path=model, eval_dir=model)
  assert (status, err) == (0, '')
  assert 'eval/Accuracy[' in out and 'eval/Recall_5[' in out
  status, out, err = _run(
      'export_inference_graph.py', '--tflite', '--int8', dataset_name='mnist',
      dataset_dir=data, model_name='lenet', checkpoint_path=model,
      output_dir=export)
  assert (status, err) == (0, '')
  assert 'Wrote %s/frozen_inference_graph.pb' % export in out
  image = str(tmp_path / 'gray.png')
  from PIL import Image
  Image.new('L', (28, 28)).save(image)
  status, out, err = _run('classify_image.py', image, graph=os.path.join(
      export, 'model_int8.tflite'))
  assert (status, err) == (0, '')
  results = str(tmp_path / 'results.json')
  status, out, err = _run(
      'classify_image.py', image, output_json=results,
      graph=os.path.join(export, 'frozen_inference_graph.pb'))
  assert (status, err) == (0, '')
  with open(results) as file:
    row = json.load(file)[0]
  assert row['file'] == image and len(set(row['names'])) == 5
  assert set(row['names']) <= {
      'zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight',
      'nine'}


@pytest.mark.parametrize('number, resumes', [
    (signal.SIGINT, False), (signal.SIGTERM, True), (signal.SIGHUP, False)])
@pytest.mark.slow
def test_a_signal_saves_and_the_same_command_resumes(
    data, tmp_path, number, resumes):
  model = str(tmp_path / 'model')
  process = _start(
      'train_image_classifier.py', **_training(data, model, 100000))
  lines = []
  for line in process.stdout:
    lines.append(line)
    if line.startswith('step 5 of'):
      break
  process.send_signal(number)
  out, err = process.communicate()
  assert (process.returncode, err) == (
      128 + number, '\nStopping after this step; a second signal ends at once.'
      '\n'), ''.join(lines)
  last = out.splitlines()[-1]
  assert last.startswith('Stopped by %s. Saved %s/model.ckpt-' % (
      number.name, model))
  assert last.endswith('; run the same command to resume.')
  step = int(last.split('model.ckpt-')[1].split('.')[0].split(';')[0])
  assert step >= 5
  if not resumes:
    return
  status, out, _ = _run(
      'train_image_classifier.py', **_training(data, model, step + 2))
  assert status == 0
  assert 'Resuming from %s/model.ckpt-%d.' % (model, step) in out
  assert 'Finished. Saved %s/model.ckpt-%d.' % (model, step + 2) in out


def test_a_mistyped_flag_is_answered_before_tensorflow_loads(tmp_path):
  status, out, err = _run(
      'train_image_classifier.py', dataset_dri=str(tmp_path))
  assert (status, out) == (2, '')
  assert err == ('train_image_classifier.py: unknown flag --dataset_dri; did '
                 'you mean --dataset_dir or --dataset_name?\n')


@pytest.mark.parametrize('program, flags, message', [
    ('train_image_classifier.py', dict(dataset_dir='/nowhere',
                                       dataset_name='mnist',
                                       model_name='lenet'), '/nowhere'),
    ('eval_image_classifier.py', dict(dataset_dir='/nowhere',
                                      checkpoint_path='/nowhere/model.ckpt'),
     'ValueError: There is no checkpoint /nowhere/model.ckpt: the directory '
     '/nowhere does not exist.'),
    ('export_inference_graph.py', {}, 'ValueError: You must supply the path to '
     'save to with --output_file')])
def test_an_error_is_one_line_without_a_traceback(program, flags, message):
  status, _, err = _run(program, **flags)
  assert status == 1
  assert message in err.splitlines()[-1]
  assert 'Traceback' not in err


def test_without_tensorflow_the_message_says_what_to_do(tmp_path):
  (tmp_path / 'tensorflow').mkdir()
  (tmp_path / 'tensorflow' / '__init__.py').write_text(
      'raise ImportError("No module named tensorflow")')
  done = subprocess.run(
      [sys.executable, os.path.join(_ROOT, 'export_inference_graph.py')],
      env=dict(os.environ, PYTHONPATH=str(tmp_path)), stderr=subprocess.PIPE,
      universal_newlines=True)
  assert done.returncode == 1
  assert 'run `make env` and use the Python it names' in done.stderr
