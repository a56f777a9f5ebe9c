"""Programs whose inputs may not be read: one line, and no waiting."""
import json
import os
import subprocess
import sys

from PIL import Image
import pytest

from image_classifier.export import export
from tests.image_classifier import exports
from tests.programs import faulty_inputs

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
# Case: what the message says. All cases and faults take three minutes; these
# waited, had a traceback, or stand for a program.
_MESSAGES = {
    'records in training': 'may not be read by this user: correct its access',
    'values of a checkpoint in training': 'or may this user not read it?',
    'records in evaluation': 'may not be read by this user: correct its access',
    'directory of a checkpoint in evaluation': 'may not be read by this user',
    'labels in an export': 'Permission denied',
    'frozen graph': 'Permission denied'}


@pytest.fixture(name='inputs')
def _inputs(tmp_path):
  from datasets import download_and_convert_mnist
  source = tmp_path / 'in'
  (source / 'checkpoint').mkdir(parents=True)
  (source / 'images').mkdir()
  download_and_convert_mnist.run(
      str(source / 'data'),
      source=os.path.join(_ROOT, 'datasets', 'samples', 'mnist'))
  export.export(exports.ask(
      checkpoint_path=exports.save(source / 'checkpoint'),
      output_dir=source / 'export', dataset_dir=str(source / 'data')))
  (source / 'checkpoint' / 'checkpoint').write_text(
      'model_checkpoint_path: "model.ckpt-7"\n')
  Image.new('L', (28, 28), 9).save(str(source / 'image.png'))
  (source / 'labels.txt').write_text(
      ''.join('%d:c%d\n' % (i, i) for i in range(10)))
  return source


@pytest.mark.slow
def test_inputs_that_may_not_be_read(inputs):
  result = subprocess.run(
      [sys.executable, '-W', 'ignore', '-m', faulty_inputs.__name__,
       str(inputs), 'unreadable', *_MESSAGES], cwd=_ROOT,
      stdout=subprocess.PIPE, universal_newlines=True)
  rows = [json.loads(line) for line in result.stdout.splitlines()]
  assert [row[0] for row in rows] == list(_MESSAGES)
  for case, _, status, lines in rows:
    assert status == 1, (case, lines)
    assert _MESSAGES[case] in lines[-1], (case, lines)
    assert not [line for line in lines if 'Traceback' in line]
