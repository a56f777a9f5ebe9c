"""The command lines of the examples: --help without TensorFlow, mistakes."""
import json
import pathlib
import subprocess
import sys

import pytest

from examples import command_line

_EXAMPLES = pathlib.Path(command_line.__file__).parent


def _programs():
  """Returns the paths of all programs in examples/."""
  return [str(path) for path in sorted(_EXAMPLES.glob('**/*.py'))
          if "if __name__ == '__main__':" in path.read_text()]


def test_every_example_shows_its_help_without_tensorflow():
  programs = _programs()
  assert len(programs) > 25
  pages = json.loads(subprocess.check_output(
      [sys.executable, '-m', 'tests.examples.show_help', *programs],
      cwd=str(_EXAMPLES.parent), universal_newlines=True).splitlines()[-1])
  assert list(pages) == programs
  for program, page in pages.items():
    assert page.startswith('usage: ' + pathlib.Path(program).name), program
    first = pathlib.Path(program).read_text().split('"""')[1].splitlines()[0]
    assert ' '.join(first.split()) in ' '.join(page.split()), program


@pytest.mark.parametrize('word, status, message', [
    ('--help', 0, 'number of training steps (default: 9)'),
    ('--help', 0, '(default: siamese-output)'),
    ('--help', 0, 'number of seeds (default: 2)'),
    ('--steps=0', 2, '--steps: must be a whole number, 1 or more; got 0'),
    ('--seeds=two', 2, '--seeds: must be a whole number, 1 or more; got two'),
    ('--stepps=1', 2, 'unrecognized arguments: --stepps=1')])
def test_help_and_wrong_flags(word, status, message, monkeypatch, capsys):
  monkeypatch.setattr('sys.argv', ['some/siamese.py', word])
  with pytest.raises(SystemExit) as stopped:
    command_line.lesson('Shows.', steps=9, seeds={
        'type': command_line.positive, 'default': 2,
        'help': 'number of seeds (default: %(default)s)'})
  assert stopped.value.code == status
  assert message in ' '.join(''.join(capsys.readouterr()).split())


def test_without_tensorflow_a_line_says_what_to_do(monkeypatch):
  def start():
    raise ValueError('No module named tensorflow. This needs')

  monkeypatch.setattr(command_line.runtime, 'start', start)
  with pytest.raises(SystemExit, match='No module named tensorflow.'):
    command_line.start(None)


@pytest.mark.parametrize('arguments, is_there, expected', [
    ([], True, (False, 1000000, 128, '/tmp/cifar10_train')),
    ([], False, (True, 30, 32, '/tmp/cifar10_train_digits')),
    (['--num_gpus=2'], False, (False, 1000000, 128, '/tmp/cifar10_train')),
    (['--digits', '--max_steps=3'], True,
     (True, 3, 32, '/tmp/cifar10_train_digits')),
    (['--digits', '--train_dir=a'], False, (True, 30, 32, 'a'))])
def test_the_trainer_of_cifar10_has_digits_where_it_is_not(
    arguments, is_there, expected, tmp_path, monkeypatch):
  monkeypatch.setattr(command_line, 'CIFAR10_DIR', str(
      tmp_path if is_there else tmp_path / 'none'))
  flags = command_line.cifar10('', arguments)
  assert (flags.digits, flags.max_steps, flags.batch_size,
          flags.train_dir) == expected
  assert (flags.num_gpus, flags.use_fp16, flags.log_device_placement) == (
      1 + bool(arguments == ['--num_gpus=2']), False, False)
