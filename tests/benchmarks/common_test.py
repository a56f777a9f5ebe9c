"""What the benchmarks share."""
import sys

from benchmarks import common


def test_without_an_environment_this_python_is_measured(monkeypatch):
  monkeypatch.setattr(common.os.path, 'exists', lambda path: False)
  assert common.environments() == [('this', sys.executable)]
  monkeypatch.setattr(
      common.os.path, 'exists', lambda path: '.venv-tf2/' in path)
  assert [stack for stack, _ in common.environments()] == ['tf2']
