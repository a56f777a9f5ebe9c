"""What changes how networks are built, without being an argument of theirs.

Slim's functions keep their signatures; what imported weights and training need
beyond them holds for the networks that are built inside a `with` statement.
"""
import contextlib


class ScopedValue:
  """A value that `with` statements replace, the innermost being in force.

  Args:
    value: the value outside of all of them.
  """

  def __init__(self, value):
    self._values = [value]

  @property
  def value(self):
    """The value in force."""
    return self._values[-1]

  @contextlib.contextmanager
  def replaced(self, value):
    """Replaces the value inside a `with` statement."""
    self._values.append(value)
    try:
      yield
    finally:
      self._values.pop()
