"""The notebooks run from end to end and show what they say."""
import glob
import json
import os
import subprocess
import sys

import pytest

from tests.examples import run_notebook

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
_DIRECTORY = os.path.join(_ROOT, 'examples', 'notebooks')
_NOTEBOOKS = sorted(map(os.path.basename, glob.glob(
    os.path.join(_DIRECTORY, '*.ipynb'))))


def _run(name, *variables):
  environment = {key: value for key, value in os.environ.items()
                 if key not in ('CHECKPOINT', 'IMAGES', 'MODEL')}
  process = subprocess.run(
      [sys.executable, '-m', 'tests.examples.run_notebook',
       os.path.join(_DIRECTORY, name), *variables],
      cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True, env=environment)
  assert process.returncode == 0, process.stderr[-3000:]
  return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize('name', _NOTEBOOKS)
def test_outputs_are_stripped(name):
  cells = run_notebook.cells(os.path.join(_DIRECTORY, name))
  assert cells[0]['cell_type'] == 'markdown'
  code = [cell for cell in cells if cell['cell_type'] == 'code']
  assert not any(cell['outputs'] or cell['execution_count'] for cell in code)


def test_every_notebook_is_tested():
  assert _NOTEBOOKS == [
      'fine_tune_your_images.ipynb', 'mobilenet_example.ipynb',
      'slim_walkthrough.ipynb']


@pytest.mark.slow
def test_walkthrough():
  values = _run('slim_walkthrough.ipynb', 'losses', 'accuracies')
  assert values['figures'] == 6
  assert values['losses'][-1] < 0.3 * values['losses'][0]
  whole, tuned, scratch = values['accuracies']
  assert whole > 0.9
  assert tuned > scratch + 0.05


@pytest.mark.slow
def test_mobilenet():
  values = _run('mobilenet_example.ipynb', 'found')
  assert values['figures'] == 2
  assert [round(sum(row), 3) for row in values['found']] == [1, 1, 1]


@pytest.mark.slow
def test_fine_tuning():
  values = _run('fine_tune_your_images.ipynb', 'classes', 'accuracy')
  assert values['figures'] == 3
  assert values['classes'] == ['digit 2', 'digit 3', 'digit 5']
  assert values['accuracy'] > 0.7
