"""The first thing that users run, and the accuracy that it promises."""
import os
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

_PROGRAM = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(
        __file__)))), 'examples', 'quickstart.py')


def _quickstart(*arguments, cwd):
  return subprocess.run(
      [sys.executable, _PROGRAM, *arguments], cwd=str(cwd),
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True)


def test_digits_are_classified(tmp_path):
  process = _quickstart(cwd=tmp_path)
  output = tmp_path / 'quickstart-output'
  text = process.stdout
  assert process.returncode == 0, text
  accuracy = float(re.search(r'eval/Accuracy\[([0-9.]+)\]', text).group(1))
  # 0.98 on the 1,000 digits held out; the standard error is 0.004.
  assert accuracy > 0.96, text
  assert 'Everything is in %s:' % output in text
  assert text.count(' right\n') == 5 and 'WRONG' not in text
  for name in ('sheet.png', 'model/learning_curve.png'):
    assert (output / name).read_bytes().startswith(b'\x89PNG'), name


def test_files_of_others_are_left_alone(tmp_path):
  (tmp_path / 'thesis.txt').write_text('all I have')
  process = _quickstart('--output_dir=%s' % tmp_path, cwd=tmp_path)
  assert process.returncode == 1
  assert ('%s contains files that are not from a quickstart; choose another '
          'directory with --output_dir.' % tmp_path) in process.stdout
  assert os.listdir(str(tmp_path)) == ['thesis.txt']
