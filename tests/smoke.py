"""A few minutes' worth of everything, for a TensorFlow that CI tests briefly.

One network of each family is compared with its golden; the programs convert,
train, resume, evaluate, export and classify. Not named `*_test.py`: the whole
suite holds all of this already.
"""
import json
import os
import subprocess
import sys

import pytest

from tests.nets import golden_builds
from tests.nets import golden_cases
from tests.nets import manifests

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FAMILIES = (
    'alexnet_v2', 'cifarnet', 'cyclegan_generator', 'dcgan_generator',
    'inception_v1', 'inception_v3', 'lenet', 'mobilenet_v1_025',
    'mobilenet_v2_035', 'mobilenet_v3_small', 'nasnet_cifar',
    'pix2pix_generator_nn_small', 'pnasnet_mobile', 'resnet_v1_50',
    'resnet_v2_50')


@pytest.mark.parametrize('name', _FAMILIES)
def test_network_is_as_its_golden(name):
  lines = golden_builds.differences(
      golden_builds.tested(golden_cases.CASES[name]), manifests.read(name))
  assert not lines, '\n'.join(lines)


def _run(program, *words, **flags):
  """Runs a program, which must succeed; returns its standard output."""
  process = subprocess.run(
      [sys.executable, os.path.join(_ROOT, program), *words,
       *('--%s=%s' % item for item in flags.items())],
      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True)
  # TensorFlow Lite of 2.12 writes remarks on standard error.
  assert process.returncode == 0, process.stderr
  return process.stdout


def test_programs(tmp_path):
  data, model, exported = (
      str(tmp_path / name) for name in ('data', 'model', 'exported'))
  common = dict(dataset_name='mnist', dataset_dir=data, model_name='lenet')
  _run('download_and_convert_data.py', dataset_name='mnist', dataset_dir=data,
       source=os.path.join(_ROOT, 'datasets', 'samples', 'mnist'))
  for steps in (100, 200):
    _run('train_image_classifier.py', train_dir=model, optimizer='adam',
         batch_size=50, learning_rate=0.001, max_number_of_steps=steps,
         log_every_n_steps=50, **common)
  steps = [json.loads(line).get('step') for line in open(
      os.path.join(model, 'train_log.jsonl'))]
  assert [step for step in steps if step][-1] == 200 and 150 in steps
  results = str(tmp_path / 'results.json')
  _run('eval_image_classifier.py', dataset_split_name='test', eval_dir=model,
       checkpoint_path=model, results_file=results, **common)
  with open(results) as file:
    assert json.load(file)['metrics']['Accuracy'] > 0.8
  _run('export_inference_graph.py', '--tflite', '--int8', '--verify',
       checkpoint_path=model, output_dir=exported, **common)
  digit = os.path.join(_ROOT, 'examples', 'quickstart_sheet.png')
  for form in ('frozen_inference_graph.pb', 'saved_model', 'model.tflite'):
    assert 'quickstart_sheet' in _run(
        'classify_image.py', digit, graph=os.path.join(exported, form))
