"""The options of the programs against the flags that slim's users know."""
import json
import os
import re
import subprocess
import sys

import pytest

from image_classifier import options
from slim_common import flags
from slim_common import help_page

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    __file__))))
_PROGRAMS = {
    'train_image_classifier': options.Train,
    'eval_image_classifier': options.Evaluate,
    'export_inference_graph': options.Export,
}
# Where ours differ on purpose: lists of scopes are parsed, the right epsilon
# depends on the optimizer, and polynomials and cosines last until the end of
# the training by default (the other schedules use slim's 2.0).
_ALL = (options.Train, options.Evaluate, options.Export, options.Classify)
_DIFFERENT = {
    'checkpoint_exclude_scopes': ('tuple', ()),
    'trainable_scopes': ('tuple', ()),
    'opt_epsilon': ('float', None),
    'num_epochs_per_decay': ('float', None),
}

with open(os.path.join(_ROOT, 'tests', 'golden', 'flags.json')) as _file:
  _GOLDEN = json.load(_file)


def _flags_of(config_class):
  return {field.name: (field, kind.__name__)
          for field, kind in help_page.leaves(config_class)}


@pytest.mark.parametrize('program', sorted(_PROGRAMS))
def test_names_types_and_defaults(program):
  ours = _flags_of(_PROGRAMS[program])
  for name, (kind, default) in _GOLDEN[program].items():
    expected = _DIFFERENT.get(name, (kind, default))
    assert name in ours, name
    assert (ours[name][1], ours[name][0].default) == expected, name


@pytest.mark.parametrize('config_class', _ALL)
def test_every_flag_has_a_help_sentence(config_class):
  for name, (field, _) in _flags_of(config_class).items():
    assert field.metadata['help'].rstrip().endswith('.'), name


@pytest.mark.parametrize('config_class', _ALL)
def test_every_flag_is_on_the_help_pages_once(config_class):
  short, full = (flags.help_text('x.py', config_class, 'Does.', full=full)
                 for full in (False, True))
  for name, (_, kind) in _flags_of(config_class).items():
    entry = '\n  ' + (name.upper() if name == 'images' else
                      '--[no]%s' % name if kind == 'bool' else '--%s=' % name)
    assert full.count(entry) == 1, name
    assert (entry in short) == (name in config_class.most_used), name
    assert (name in config_class.most_used or
            re.search(r'\n      .*--%s\b' % name, short)), name
  for line in (short + full).splitlines():
    assert len(line) <= 79, line


@pytest.mark.parametrize('flag', ['--help', '--helpfull'])
@pytest.mark.parametrize('program', sorted(_PROGRAMS) + ['classify_image'])
def test_help_is_shown_without_what_is_slow_to_import(program, flag, tmp_path):
  code = ('import runpy, sys\n'
          'sys.argv = [%r, %r]\n'
          'try: runpy.run_path(sys.argv[0], run_name="__main__")\n'
          'except SystemExit as end: assert not end.code\n'
          'late = "tensorflow", "numpy", "logging", "tempfile", "ctypes"\n'
          'assert not set(late) & set(sys.modules), sys.modules\n' % (
              os.path.join(_ROOT, program + '.py'), flag))
  text = subprocess.check_output(
      [sys.executable, '-c', code], cwd=str(tmp_path),
      env=dict(os.environ, PYTHONPATH=_ROOT), universal_newlines=True)
  assert 'Usage: %s.py [flags]' % program in text


def test_the_dataset_directory_is_required():
  with pytest.raises(flags.UsageError, match='--dataset_dir is required'):
    flags.parse([], options.Train)


def test_old_names_of_the_result_files():
  config, warnings = flags.parse(
      ['a.png', '--json=r.json', '--csv=r.csv', '--sheet', 's.png'],
      options.Classify)
  assert (config.output_json, config.output_csv, config.contact_sheet) == (
      'r.json', 'r.csv', 's.png')
  assert sorted(warnings) == [
      '--csv is now --output_csv', '--json is now --output_json',
      '--sheet is now --contact_sheet']
