"""The options of the programs against the flags that slim's users know."""
import json
import os
import subprocess
import sys

import pytest

from image_classifier import options
from slim_common import flags

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    __file__))))
_PROGRAMS = {
    'train_image_classifier': options.Train,
    'eval_image_classifier': options.Evaluate,
    'export_inference_graph': options.Export,
}
# Where ours differ on purpose: lists of scopes are parsed, the epsilon that is
# right depends on the optimiser, and polynomials and cosines last until the
# end of the training unless they are told otherwise (else it is slim's 2.0).
_DIFFERENT = {
    'checkpoint_exclude_scopes': ('tuple', ()),
    'trainable_scopes': ('tuple', ()),
    'opt_epsilon': ('float', None),
    'num_epochs_per_decay': ('float', None),
}

with open(os.path.join(_ROOT, 'tests', 'golden', 'flags.json')) as _file:
  _GOLDEN = json.load(_file)


def _flags_of(config_class):
  # pylint: disable=protected-access
  return {field.name: (field, kind.__name__)
          for field, kind in flags._leaves(config_class)}


@pytest.mark.parametrize('program', sorted(_PROGRAMS))
def test_names_types_and_defaults(program):
  ours = _flags_of(_PROGRAMS[program])
  for name, (kind, default) in _GOLDEN[program].items():
    expected = _DIFFERENT.get(name, (kind, default))
    assert name in ours, name
    assert (ours[name][1], ours[name][0].default) == expected, name


@pytest.mark.parametrize('config_class', [
    options.Train, options.Evaluate, options.Export, options.Classify])
def test_every_flag_has_a_help_sentence(config_class):
  for name, (field, _) in _flags_of(config_class).items():
    assert field.metadata['help'].rstrip().endswith('.'), name


@pytest.mark.parametrize('program', sorted(_PROGRAMS) + ['classify_image'])
def test_help_is_shown_without_tensorflow(program, tmp_path):
  code = ('import runpy, sys\n'
          'sys.argv = [%r, "--help"]\n'
          'try: runpy.run_path(sys.argv[0], run_name="__main__")\n'
          'except SystemExit as end: assert not end.code\n'
          'assert "tensorflow" not in sys.modules\n' % os.path.join(
              _ROOT, program + '.py'))
  text = subprocess.check_output(
      [sys.executable, '-c', code], cwd=str(tmp_path),
      env=dict(os.environ, PYTHONPATH=_ROOT), universal_newlines=True)
  assert 'Usage: %s.py [flags]' % program in text


def test_the_dataset_directory_is_required():
  with pytest.raises(flags.UsageError, match='--dataset_dir is required'):
    flags.parse([], options.Train)
