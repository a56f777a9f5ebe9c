"""Tests of scoped_value."""
import pytest

from nets import scoped_value


def test_the_innermost_is_in_force_until_its_end():
  setting = scoped_value.ScopedValue(1)
  with setting.replaced(2):
    with setting.replaced(3):
      assert setting.value == 3
    assert setting.value == 2
  assert setting.value == 1


def test_an_error_ends_it_too():
  setting = scoped_value.ScopedValue('slim')
  with pytest.raises(KeyError):
    with setting.replaced('other'):
      raise KeyError
  assert setting.value == 'slim'
