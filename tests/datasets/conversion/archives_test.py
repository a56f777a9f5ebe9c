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
    ('evil', tarfile.LNKTYPE, "is a link to '/etc/passwd', which is no file"),
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


def test_a_link_to_a_later_file_and_one_over_its_target(tmp_path):
  member = tarfile.TarInfo('a')
  member.type, member.linkname = tarfile.LNKTYPE, './a'
  with tarfile.open(str(tmp_path / 'a.tar'), 'w') as archive:
    archive.addfile(member)
  with pytest.raises(ValueError, match="is a link to './a', which is no file"):
    archives.unpack(str(tmp_path / 'a.tar'), str(tmp_path / 'out'))
  with tarfile.open(str(tmp_path / 'a.tar'), 'w') as archive:
    archive.addfile(tarfile.TarInfo('a'))
    archive.addfile(member)
  archives.unpack(str(tmp_path / 'a.tar'), str(tmp_path / 'out'))
  assert (tmp_path / 'out' / 'a').read_bytes() == b''


def test_damaged_header_in_the_middle_is_no_end(tmp_path):
  path = raw_files.write_tar(
      tmp_path / 'a', [('one', b'12'), ('two', b'12'), ('three', b'12')], 'w')
  whole = (tmp_path / 'a').read_bytes()
  for content in (whole[:1024] + b'x' + whole[1025:], whole[:1124]):
    (tmp_path / 'a').write_bytes(content)
    with pytest.raises(ValueError, match='damaged one .* at byte 1024'):
      archives.unpack(path, str(tmp_path / 'out'))
  (tmp_path / 'a').write_bytes(whole[:3072])  # As some programs end it.
  archives.unpack(path, str(tmp_path / 'out'))
  assert len(os.listdir(str(tmp_path / 'out'))) == 3


@pytest.mark.parametrize('content,fault', [
    (b'Rar!\x1a\x07\1\0', 'is a RAR archive, no tar or zip archive: unpack it '),
    (b'7z\xbc\xaf\x27\x1c', 'is a 7z archive'),
    (b'<!DOCTYPE html><html>', 'is a web page'),
    (b'\xff\xd8\xff\xe0', 'is no tar or zip archive')])
def test_files_of_other_formats_are_named(tmp_path, content, fault):
  path = raw_files.write(tmp_path, 'a.zip', content)
  with pytest.raises(ValueError, match='TITLE ' + fault):
    archives.unpack(path, str(tmp_path / 'out'), 'TITLE')


@pytest.mark.parametrize('at,value,fault', [
    (6, 1, 'a.zip is encrypted: unpack it with its password and give the direc'),
    (8, 9, 'a.zip has a form of zip that is not read .*: unpack it in another')])
def test_zips_of_other_forms(tmp_path, at, value, fault):
  with zipfile.ZipFile(str(tmp_path / 'a.zip'), 'w') as archive:
    archive.writestr('a', b'12')
  content = bytearray((tmp_path / 'a.zip').read_bytes())
  content[at] = content[content.index(b'PK\1\2') + at + 2] = value
  (tmp_path / 'a.zip').write_bytes(bytes(content))
  with pytest.raises(ValueError, match=fault):
    archives.unpack(str(tmp_path / 'a.zip'), str(tmp_path / 'out'))


@pytest.mark.parametrize('members', [
    [('a', b'12'), ('a/b', b'12')], [('a/b', b'12'), ('a', b'12')],
    [('n' * 300, b'12')]])
def test_names_that_cannot_be_written(tmp_path, members):
  path = raw_files.write_tar(tmp_path / 'a', members)
  with pytest.raises(ValueError, match='a: its member .* cannot be unpacked: '):
    archives.unpack(path, str(tmp_path / 'out'))


def test_a_self_extracting_zip(tmp_path):
  with zipfile.ZipFile(str(tmp_path / 'a'), 'w') as archive:
    archive.writestr('d/one', b'12')
  content = (tmp_path / 'a').read_bytes()
  (tmp_path / 'a').write_bytes(b'MZ' + b'\0' * 600 + content)
  archives.unpack(str(tmp_path / 'a'), str(tmp_path / 'out'))
  assert (tmp_path / 'out' / 'd' / 'one').read_bytes() == b'12'


def test_a_damaged_tar_is_not_the_zip_in_it(tmp_path):
  with zipfile.ZipFile(str(tmp_path / 'inner'), 'w') as archive:
    archive.writestr('evil', b'12')
  inner = (tmp_path / 'inner').read_bytes()
  path = raw_files.write_tar(tmp_path / 'a', [('one', b'12')], 'w')
  with open(path, 'ab') as target:
    target.write(inner)
  archives.unpack(path, str(tmp_path / 'out'))
  assert os.listdir(str(tmp_path / 'out')) == ['one']
  content = (tmp_path / 'a').read_bytes()
  (tmp_path / 'a').write_bytes(b'x' + content[1:])
  with pytest.raises(ValueError, match='a is no tar or zip archive'):
    archives.unpack(path, str(tmp_path / 'more'))
