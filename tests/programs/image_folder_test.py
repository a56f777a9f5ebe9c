"""The user's own images, from a directory to predictions, with the programs."""
import json
import os
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest

from tests.datasets import records

pytestmark = pytest.mark.slow

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
_COLORS = {'dunkelgrün': (0, 90, 0), 'hell rot': (250, 90, 90)}


def _run(program, *words, **flags):
  """Runs a program, which must succeed; returns its standard output."""
  process = subprocess.Popen(
      [sys.executable, os.path.join(_ROOT, program)] + list(words) +
      ['--%s=%s' % item for item in flags.items()], stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, env=dict(os.environ, PYTHONIOENCODING='utf-8'))
  output, errors = process.communicate()
  assert process.returncode == 0, errors.decode('utf-8')
  return output.decode('utf-8')


def _write_images(directory):
  random = np.random.RandomState(0)
  for name, color in _COLORS.items():
    os.makedirs(str(directory / name))
    for index in range(20):
      noise = random.randint(-20, 20, [30 + index, 40, 3])
      Image.fromarray(np.clip(noise + color, 0, 255).astype(np.uint8)).save(
          str(directory / name / ('image %d.jpg' % index)))


def test_convert_train_evaluate_export_classify(tmp_path):
  images, data = tmp_path / 'images', str(tmp_path / 'data')
  model, export = str(tmp_path / 'model'), str(tmp_path / 'export')
  _write_images(images)
  before = records.snapshot(images)
  output = _run('download_and_convert_data.py', dataset_name='image_folder',
                dataset_dir=data, source=str(images), num_validation=6)
  assert 'image_folder: 34 train, 6 validation, 2 classes' in output
  assert records.snapshot(images) == before
  common = dict(dataset_name='image_folder', dataset_dir=data,
                model_name='cifarnet')
  output = _run('train_image_classifier.py', train_dir=model, batch_size=4,
                max_number_of_steps=2, log_every_n_steps=1, **common)
  assert 'step 2 of 2' in output
  output = _run('eval_image_classifier.py', checkpoint_path=model,
                eval_dir=str(tmp_path / 'eval'), batch_size=4,
                dataset_split_name='validation', **common)
  assert 'eval/Accuracy[' in output
  _run('export_inference_graph.py', checkpoint_path=model, output_dir=export,
       **common)
  results = str(tmp_path / 'results.json')
  _run('classify_image.py', str(images / 'hell rot' / 'image 3.jpg'),
       graph=os.path.join(export, 'frozen_inference_graph.pb'),
       output_json=results)
  with open(results, encoding='utf-8') as source:
    assert set(json.load(source)[0]['names']) == set(_COLORS)
