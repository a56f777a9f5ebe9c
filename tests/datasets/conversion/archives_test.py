"""Tests of unpacking archives: whole, damaged and malicious ones."""
import os
import tarfile
import zipfile

import pytest

from datasets.conversion import archives
from tests.datasets.conversion import raw_files


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2', 'w:xz'])
def test_tar_is_unpacked(tmp_path, mode):
  archive = raw_files.write_tar(tmp_path / 'a', [
      ('./d', tarfile.DIRTYPE), ('./d/one', b'1' * 300000), ('e/two', b'')
  ], mode)
  archives.unpack(archive, str(tmp_path / 'out'))
  assert (tmp_path / 'out/d/one').read_bytes() == b'1' * 300000
  assert (tmp_path / 'out/e/two').read_bytes() == b''


def test_zip_is_unpacked(tmp_path):
  with zipfile.ZipFile(str(tmp_path / 'a.zip'), 'w') as archive:
    archive.writestr('d/', b'')
    archive.writestr('d/one', b'1' * 300000)
  archives.unpack(str(tmp_path / 'a.zip'), str(tmp_path / 'out'))
  assert (tmp_path / 'out/d/one').read_bytes() == b'1' * 300000


@pytest.mark.parametrize('name,content,fault', [
    ('../evil', b'evil', 'leads out of the directory'),
    ('d/../../evil', b'evil', 'leads out of the directory'),
    ('..', tarfile.DIRTYPE, 'leads out of the directory'),
    ('/tmp/evil', b'evil', 'is an absolute path'),
    ('evil', tarfile.SYMTYPE, 'is a link'),
    ('evil', tarfile.LNKTYPE, 'is a link'),
    ('evil', tarfile.CHRTYPE, 'is a device'),
    ('evil', tarfile.BLKTYPE, 'is a device'),
    ('evil', tarfile.FIFOTYPE, 'is a device')])
def test_unsafe_tar_is_refused_whole(tmp_path, name, content, fault):
  archive = raw_files.write_tar(
      tmp_path / 'a', [('good', b'good'), (name, content)])
  with pytest.raises(ValueError, match='a is refused: its member .*%s.* '
                     'nothing was unpacked' % fault):
    archives.unpack(archive, str(tmp_path / 'deep' / 'out'))
  assert os.listdir(tmp_path) == ['a']


@pytest.mark.parametrize('name', ['../evil', '/evil', 'link'])
def test_unsafe_zip_is_refused_whole(tmp_path, name):
  with zipfile.ZipFile(str(tmp_path / 'a'), 'w') as archive:
    archive.writestr('good', b'good')
    member = zipfile.ZipInfo(name)
    if name == 'link':
      member.external_attr = 0o120777 << 16
    archive.writestr(member, '/etc')
  with pytest.raises(ValueError, match='a is refused'):
    archives.unpack(str(tmp_path / 'a'), str(tmp_path / 'out'))
  assert os.listdir(tmp_path) == ['a']


def test_link_that_stands_in_the_folder_is_not_followed(tmp_path):
  (tmp_path / 'out').mkdir()
  (tmp_path / 'elsewhere').mkdir()
  os.symlink(str(tmp_path / 'elsewhere'), str(tmp_path / 'out' / 'd'))
  archive = raw_files.write_tar(tmp_path / 'a', [('d/one', b'12')])
  with pytest.raises(ValueError, match='written outside .* through a link'):
    archives.unpack(archive, str(tmp_path / 'out'))
  assert not os.listdir(tmp_path / 'elsewhere')


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2', 'w:xz', 'zip'])
def test_damaged_archive_is_refused_whole(tmp_path, mode):
  content = os.urandom(200000)
  path = tmp_path / 'a'
  if mode == 'zip':
    with zipfile.ZipFile(str(path), 'w') as archive:
      archive.writestr('first', b'first')
      archive.writestr('second', content)
  else:
    raw_files.write_tar(path, [('first', b'first'), ('second', content)], mode)
  whole = path.read_bytes()
  damaged = [whole[:-100000], whole[:10], b'']
  if mode != 'w':  # A plain tar has no checksum of its content.
    damaged.append(whole[:100000] + bytes([whole[100000] ^ 1]) + whole[100001:])
  for content in damaged:
    path.write_bytes(content)
    with pytest.raises(ValueError, match='a is no tar or zip archive, or a '
                       'damaged one .*download it again'):
      archives.unpack(str(path), str(tmp_path / 'out'))
  assert os.listdir(tmp_path) == ['a']
