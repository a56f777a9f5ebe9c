"""Tests scripts/bootstrap.sh with stand-ins for Python, pyenv and uv.

Nothing is fetched and no real environment is made.
"""
import os
import shutil
import subprocess

import pytest

from tests import bootstrap_stand_ins as stand_ins

_NO_SUCH_COMMAND = 'echo "pyenv: $0: command not found" >&2; exit 127'

pytestmark = pytest.mark.skipif(
    os.name != 'posix', reason='bootstrap.sh is a shell script')


class _SearchPath:
  """A search path that holds nothing but the stand-ins."""

  @pytest.fixture
  def bin_folder(self, tmp_path):
    folder = tmp_path / 'bin'
    folder.mkdir()
    return folder

  def _run(self, bin_folder, *arguments, root=stand_ins.ROOT, **variables):
    variables = dict(
        {'PATH': str(bin_folder), 'HOME': str(bin_folder.parent)}, **variables)
    if not (bin_folder / 'dirname').exists():
      os.symlink(shutil.which('dirname'), str(bin_folder / 'dirname'))
    return subprocess.run(
        ['/bin/sh', str(root / 'scripts' / 'bootstrap.sh'),
         *(arguments or ['--find-python'])],
        env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True)

  def _found(self, bin_folder, **variables):
    result = self._run(bin_folder, **variables)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()

  def _refused(self, bin_folder, *arguments, **variables):
    result = self._run(bin_folder, *arguments, **variables)
    assert result.returncode == 1
    assert result.stdout == ''
    return result.stderr


class TestFindPython(_SearchPath):

  def test_takes_python_of_search_path(self, bin_folder):
    python = stand_ins.write_python(bin_folder / 'python3.7', '3.7')
    assert self._found(bin_folder) == str(python)
    assert self._found(bin_folder, STACK='mkl') == str(python)

  def test_takes_python3_of_the_right_version(self, bin_folder):
    python = stand_ins.write_python(bin_folder / 'python3', '3.7')
    stand_ins.write_python(bin_folder / 'python', '2.7')
    assert self._found(bin_folder) == str(python)

  def test_passes_over_shim_that_does_not_run(self, bin_folder):
    stand_ins.write_command(bin_folder / 'python3.7', _NO_SUCH_COMMAND)
    python = stand_ins.write_python(
        bin_folder.parent / '.pyenv/versions/3.7.16/bin/python', '3.7')
    assert self._found(bin_folder) == str(python)

  def test_asks_pyenv_where_its_versions_are(self, bin_folder):
    root = bin_folder.parent / 'elsewhere'
    python = stand_ins.write_python(root / 'versions/3.7.9/bin/python', '3.7')
    assert self._found(bin_folder, PYENV_ROOT=str(root)) == str(python)
    stand_ins.write_command(
        bin_folder / 'pyenv', '[ "$1" = root ] && echo %s' % root)
    assert self._found(bin_folder) == str(python)

  def test_passes_over_python_without_ensurepip(self, bin_folder):
    stand_ins.write_python(bin_folder / 'python3.7', '3.7', ensurepip='exit 1')
    python = stand_ins.write_python(
        bin_folder.parent / '.pyenv/versions/3.7.16/bin/python', '3.7')
    assert self._found(bin_folder) == str(python)

  def test_takes_python_that_uv_has(self, bin_folder):
    python = stand_ins.write_python(bin_folder.parent / 'uv/python3.7', '3.7')
    stand_ins.write_command(bin_folder / 'uv', """
[ "$*" = 'python find --system 3.7' ] && echo %s""" % python)
    assert self._found(bin_folder) == str(python)

  def test_lets_uv_install_one(self, bin_folder):
    python = stand_ins.write_uv(bin_folder / 'uv', '3.7')
    result = self._run(bin_folder, STACK='stock')
    assert result.stdout.strip() == str(python)
    assert 'asking uv for Python 3.7' in result.stderr

  @pytest.mark.parametrize('stack, version, package', [
      ('tf2', '3.13', 'uv'), ('stock', '3.7', 'uv==0.6.17')])
  def test_installs_uv_where_there_is_none(
      self, bin_folder, stack, version, package):
    root = stand_ins.copy_project(bin_folder.parent)
    uv = bin_folder.parent / 'index/uv'
    python = stand_ins.write_uv(uv, version)
    # Today's uv lists no Python 3.7.
    if stack == 'stock':
      stand_ins.write_command(bin_folder / 'uv', 'exit 2')
    stand_ins.write_command(bin_folder / 'python3', """
case "$*" in
  *version_info*) echo 3.9 ;;
  *"--target %s/.uv/package %s") /bin/mkdir -p %s/.uv/package/bin
    /bin/cp %s %s/.uv/package/bin/uv ;;
  *) exit 1 ;;
esac""" % (root, package, root, uv, root))
    result = self._run(bin_folder, root=root, STACK=stack)
    assert result.stdout.strip() == str(python), result.stderr
    assert result.stderr.splitlines() == [
        'installing %s into %s/.uv' % (package, root),
        'asking uv for Python %s' % version,
        'into %s/.uv/python' % root]

  def test_takes_python_that_was_fetched_before(self, bin_folder):
    root = stand_ins.copy_project(bin_folder.parent)
    python = stand_ins.write_python(
        root / '.uv/python/cpython-3.12.9-linux-x86_64-gnu/bin/python3', '3.12')
    result = self._run(bin_folder, root=root)
    assert result.stdout.strip() == str(python)

  def test_newest_python_for_tf2(self, bin_folder):
    for version in ('3.7', '3.8', '3.10', '3.12', '3.14'):
      stand_ins.write_python(bin_folder / ('python' + version), version)
    assert self._found(bin_folder, STACK='tf2') == str(
        bin_folder / 'python3.12')
    assert self._found(bin_folder, STACK='tf212') == str(
        bin_folder / 'python3.10')

  @pytest.mark.parametrize('stack, allowed, first', [
      ('stock', '3.7', '3.7'), ('tf2', '3.10 to 3.13', '3.13'),
      ('tf212', '3.8 to 3.11', '3.11')])
  def test_two_lines_where_there_is_none(
      self, bin_folder, stack, allowed, first):
    stand_ins.write_command(bin_folder / 'python3', 'exit 2')
    stand_ins.write_command(bin_folder / 'uv', 'exit 2')
    lines = self._refused(bin_folder, STACK=stack).splitlines()[-2:]
    assert lines[0] == (
        'STACK=%s needs Python %s with venv and ensurepip; none found and none '
        'to be had' % (stack, allowed))
    assert 'pyenv install ' + first in lines[1]
    assert 'make env STACK=%s PYTHON=' % stack in lines[1]

  def test_two_lines_are_all_without_uv(self, bin_folder):
    assert len(self._refused(bin_folder, STACK='tf2').splitlines()) == 2

  def test_given_python_comes_first(self, bin_folder):
    stand_ins.write_python(bin_folder / 'python3.7', '3.7')
    python = stand_ins.write_python(bin_folder.parent / 'mine/python', '3.7')
    assert self._found(bin_folder, PYTHON=str(python)) == str(python)
    assert self._found(bin_folder, PYTHON=os.path.relpath(str(python))) == (
        os.path.join(os.getcwd(), os.path.relpath(str(python))))

  def test_given_python_that_does_not_run(self, bin_folder):
    stand_ins.write_python(bin_folder / 'python3.7', '3.7')
    message = self._refused(bin_folder, PYTHON='/no/python', STACK='stock')
    assert message.splitlines() == [
        'PYTHON=/no/python does not run; STACK=stock needs Python 3.7.',
        'Type: make env STACK=stock PYTHON=/path/to/python3.7']

  @pytest.mark.parametrize('stack, version, message', [
      ('stock', '3.11', 'is Python 3.11; STACK=stock needs 3.7.'),
      ('mkl', '3.8', 'is Python 3.8; STACK=mkl needs 3.7.'),
      ('tf2', '3.9', 'is Python 3.9; STACK=tf2 needs 3.10 to 3.13.')])
  def test_given_python_of_wrong_version(
      self, bin_folder, stack, version, message):
    python = stand_ins.write_python(bin_folder / 'mine', version)
    said = self._refused(bin_folder, STACK=stack, PYTHON=str(python))
    assert 'PYTHON=%s %s' % (python, message) in said
    assert 'Type: make env STACK=' + stack in said

  def test_given_python_without_ensurepip(self, bin_folder):
    python = stand_ins.write_python(
        bin_folder / 'mine', '3.7', ensurepip='exit 1')
    message = self._refused(bin_folder, PYTHON=str(python))
    assert 'lacks the modules venv and ensurepip' in message
    assert 'apt install python3.7-venv' in message

  def test_unknown_stack_and_argument(self, bin_folder):
    assert self._refused(bin_folder, STACK='tf3') == (
        'STACK=tf3 is unknown; the stacks are stock, mkl, tf2 and tf212.\n')
    assert self._refused(bin_folder, '--help') == (
        'unknown argument --help; there are --find-python and --find-stack.\n')


class TestFindStack(_SearchPath):
  """Without STACK, what the machine has decides."""

  def _chosen(self, bin_folder, **variables):
    """Returns the stack and the line that says why."""
    result = self._run(bin_folder, '--find-stack', **variables)
    assert result.returncode == 0, result.stderr
    (line,) = result.stderr.splitlines()
    return result.stdout.strip(), line

  def test_python_3_7_comes_first(self, bin_folder):
    for version in ('3.7', '3.12'):
      stand_ins.write_python(bin_folder / ('python' + version), version)
    assert self._chosen(bin_folder) == (
        'stock', 'STACK=stock (TensorFlow 1.15.5): Python 3.7 was found.')

  @pytest.mark.parametrize('version', ['3.10', '3.11', '3.12', '3.13'])
  def test_tf2_where_there_is_one_other_python(self, bin_folder, version):
    python = stand_ins.write_python(bin_folder / ('python' + version), version)
    assert self._chosen(bin_folder) == (
        'tf2', 'STACK=tf2 (TensorFlow 2.21.0): there is no Python 3.7; Python '
        '%s was found.' % version)
    assert self._found(bin_folder) == str(python)

  @pytest.mark.parametrize('version', [None, '3.9', '3.14'])
  def test_tf2_where_there_is_none(self, bin_folder, version):
    if version:
      stand_ins.write_python(bin_folder / 'python3', version)
    assert self._chosen(bin_folder) == (
        'tf2', 'STACK=tf2 (TensorFlow 2.21.0): there is no Python 3.7 and none '
        'of 3.10 to 3.13; uv is asked for one.')

  @pytest.mark.parametrize('version, stack', [
      ('3.7', 'stock'), ('3.8', 'tf212'), ('3.13', 'tf2')])
  def test_given_python_decides(self, bin_folder, version, stack):
    stand_ins.write_python(bin_folder / 'python3.7', '3.7')
    python = stand_ins.write_python(bin_folder / 'mine', version)
    chosen, line = self._chosen(bin_folder, PYTHON=str(python))
    assert chosen == stack
    assert line.endswith(': PYTHON=%s is Python %s.' % (python, version))

  def test_arm64_has_no_tensorflow_1(self, bin_folder):
    stand_ins.write_command(bin_folder / 'uname', 'echo aarch64')
    for version in ('3.7', '3.12'):
      stand_ins.write_python(bin_folder / ('python' + version), version)
    assert self._chosen(bin_folder) == (
        'tf2', 'STACK=tf2 (TensorFlow 2.21.0): TensorFlow 1.15 does not exist '
        'for aarch64; Python 3.12 was found.')
    assert self._refused(bin_folder, STACK='stock').splitlines() == [
        'STACK=stock: TensorFlow 1.15 exists for x86-64 processors only; this '
        'is aarch64.', 'Type: make env STACK=tf2']

  def test_apple_silicon_has_no_tensorflow_2_12(self, bin_folder):
    stand_ins.write_command(bin_folder / 'uname', 'echo Darwin arm64')
    stand_ins.write_python(bin_folder / 'python3.11', '3.11')
    assert self._refused(bin_folder, STACK='tf212').splitlines() == [
        'STACK=tf212: TensorFlow 2.12.1 does not exist for macOS on arm64.',
        'Type: make env STACK=tf2']


class TestMakeEnvironment:
  """In a project of its own, with a Python that only notes its orders."""

  @pytest.fixture
  def project(self, tmp_path):
    project = stand_ins.copy_project(tmp_path)
    stand_ins.write_python(tmp_path / 'python', '3.7', notes=tmp_path / 'notes')
    return project

  def _start(self, project, **variables):
    variables = dict({
        'PYTHON': str(project.parent / 'python'), 'PATH': '/usr/bin:/bin',
        'STACK': 'stock'}, **variables)
    return subprocess.Popen(
        ['scripts/bootstrap.sh'], cwd=str(project), env=variables,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True)

  def _run(self, project, status=0, **variables):
    """Returns what is printed, and the orders to pip of this run."""
    notes = project.parent / 'notes'
    notes.write_text('')
    process = self._start(project, **variables)
    output, errors = process.communicate()
    assert process.returncode == status, output + errors
    return output + errors, notes.read_text().splitlines()

  def test_installs_once(self, project):
    output, orders = self._run(project)
    assert 'installing TensorFlow 1.15.5 into .venv (about a minute)' in output
    assert [order.split()[-1] for order in orders] == [
        'requirements/build.txt', 'requirements/stock.txt', '.']
    assert '--no-deps' in orders[2]
    assert self._run(project) == ('TensorFlow 1.15.5 is ready in .venv\n', [])

  @pytest.mark.parametrize('stack, folder', [
      ('stock', '.venv'), ('mkl', '.venv-mkl')])
  def test_each_stack_has_its_folder(self, project, stack, folder):
    _, orders = self._run(project, STACK=stack)
    assert orders[1].endswith('requirements/%s.txt' % stack)
    assert (project / folder / 'bin' / 'python').exists()

  def test_another_folder(self, project):
    output, _ = self._run(project, VENV=str(project.parent / 'mine'))
    assert (project.parent / 'mine' / 'bin' / 'python').exists()
    assert not (project / '.venv').exists()
    assert 'into %s' % (project.parent / 'mine') in output

  def test_repairs_what_was_interrupted(self, project):
    self._run(project)
    (project / '.venv' / '.bootstrap').write_text('unfinished\n')
    (project / '.venv' / 'half').write_text('')
    assert len(self._run(project)[1]) == 3
    assert not (project / '.venv' / 'half').exists()

  @pytest.mark.parametrize('changed', ['requirements/stock.txt', 'setup.py'])
  def test_starts_over_when_requirements_change(self, project, changed):
    self._run(project)
    with open(str(project / changed), 'a') as target:
      target.write('# changed\n')
    assert len(self._run(project)[1]) == 3

  def test_starts_over_when_moved_or_broken(self, project):
    self._run(project)
    moved = project.parent / 'moved'
    project.rename(moved)
    assert len(self._run(moved)[1]) == 3
    (moved / '.venv' / 'bin' / 'python').unlink()
    assert len(self._run(moved)[1]) == 3

  def test_starts_over_for_another_python(self, project):
    self._run(project)
    notes = project.parent / 'notes'
    other = stand_ins.write_python(
        project.parent / 'other', '3.7', 'there', notes=notes)
    assert len(self._run(project, PYTHON=str(other))[1]) == 3
    assert self._run(project, PYTHON=str(other))[1] == []

  @pytest.mark.parametrize('way', ['given', 'activated'])
  def test_python_of_the_environment_itself(self, project, way):
    self._run(project)
    folder = project / '.venv' / 'bin'
    shutil.copy(str(folder / 'python'), str(folder / 'python3.7'))
    ways = {'given': {'PYTHON': '.venv/bin/python'},
            'activated': {'PYTHON': '', 'PATH': '%s:/usr/bin:/bin' % folder}}
    assert self._run(project, **ways[way])[1] == []
    (project / 'setup.py').write_text('# changed\n')
    output, orders = self._run(project, **ways[way])
    assert 'making .venv with %s\n' % (project.parent / 'python') in output
    assert len(orders) == 3

  def test_leaves_alone_what_it_did_not_make(self, project):
    (project / '.venv').mkdir()
    (project / '.venv' / 'precious').write_text('')
    output, orders = self._run(project, status=1)
    assert '.venv was not made by make env' in output
    assert 'make env VENV=DIR' in output
    assert orders == []
    assert (project / '.venv' / 'precious').exists()

  def test_tries_a_second_time(self, project):
    (project.parent / 'notes.offline').write_text('')
    _, orders = self._run(project)
    assert [order.split()[-1] for order in orders] == [
        'requirements/build.txt', 'requirements/build.txt',
        'requirements/stock.txt', '.']

  def test_says_what_could_not_be_installed(self, project):
    python = project.parent / 'python'
    python.write_text(python.read_text().replace('rm "', 'true "'))
    (project.parent / 'notes.offline').write_text('')
    output, _ = self._run(project, status=1)
    assert 'Could not install the build tools into .venv' in output
    assert 'Run the same command again' in output
    assert 'is ready' not in output
    (project.parent / 'notes.offline').unlink()
    assert len(self._run(project)[1]) == 3

  @pytest.mark.skipif(not shutil.which('flock'), reason='needs flock')
  def test_two_at_once_install_once(self, project):
    both = [self._start(project) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    assert all('is ready in .venv' in output for output in outputs)
    assert len((project.parent / 'notes').read_text().splitlines()) == 3
