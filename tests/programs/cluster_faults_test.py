"""A fault of a distributed training in real processes."""
import pytest

from tests.programs import cluster_faults
from tests.programs import kill_and_resume


@pytest.mark.slow
def test_other_lists_of_hosts(tmp_path, capsys):
  cluster_faults.run(
      'worker has more hosts', kill_and_resume.digits(str(tmp_path)),
      str(tmp_path / 'run'))
  assert 'worker 1 after ' in capsys.readouterr().out
