import os

import pytest

from datasets import folders


def test_a_file_appears_when_all_is_written(tmp_path):
  path = tmp_path / 'file'
  path.write_text('old')
  with folders.opened(str(path)) as target:
    target.write('new\n')
    assert path.read_text() == 'old'
  assert path.read_bytes() == b'new\n'
  with pytest.raises(KeyError), folders.opened(str(path)) as target:
    target.write('half')
    raise KeyError
  assert path.read_text() == 'new\n' and os.listdir(str(tmp_path)) == ['file']
