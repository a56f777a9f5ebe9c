import ctypes

from slim_common import memory


class _Library:
  """Stands for the C library and notes what it is told."""

  def __init__(self, fails=False):
    self.calls = []
    if not fails:
      self.mallopt = lambda name, value: self.calls.append((name, value))


def test_parameters_of_the_heap(monkeypatch):
  library = _Library()
  monkeypatch.setattr(ctypes, 'CDLL', lambda name: library)
  memory.keep_freed_memory()
  assert library.calls == [(-4, 0), (-1, 2 ** 31 - 1), (-8, 1)]


def test_another_c_library(monkeypatch):
  monkeypatch.setattr(ctypes, 'CDLL', lambda name: _Library(fails=True))
  memory.keep_freed_memory()
