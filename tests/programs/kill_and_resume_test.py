"""A few kills; `make test-kill` does many."""
import pytest

from tests.programs import kill_and_resume

pytestmark = pytest.mark.slow


def test_two_kills(tmp_path):
  lines = []
  kill_and_resume.run(str(tmp_path), 2, say=lines.append)
  assert len(lines) == 3
  assert 'no step twice' in lines[-1]
