"""Tests of downloads, from a loopback server and from files."""
import hashlib
import http.server
import os
import socket
import threading
import time

import pytest

from datasets.conversion import downloads
from slim_common import transfer
from tests.datasets.conversion import raw_files

_CONTENT = bytes(range(256)) * 4000
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
  """Serves `_CONTENT` with a fault that the path names."""

  def do_GET(self):  # pylint: disable=invalid-name
    self.server.requests.append((self.path, self.headers.get('Range')))
    getattr(self, '_' + self.path.split('/')[1])()

  def _send(self, content, status=200, length=None, **headers):
    self.send_response(status)
    self.send_header('Content-Length', str(length or len(content)))
    for name, value in headers.items():
      self.send_header(name.replace('_', '-'), value)
    self.end_headers()
    self.wfile.write(content)

  def _good(self):
    asked = self.headers.get('Range')
    if not asked:
      return self._send(_CONTENT)
    start = int(asked[len('bytes='):-1])
    if start >= len(_CONTENT):
      return self.send_error(416)
    return self._send(
        _CONTENT[start:], 206,
        Content_Range='bytes %d-%d/%d' % (start, len(_CONTENT) - 1,
                                          len(_CONTENT)))

  def _without_ranges(self):
    self._send(_CONTENT)

  def _interrupted(self):
    """Ends the first connection half way."""
    if self.headers.get('Range'):
      return self._good()
    return self._send(_CONTENT[:500000], length=len(_CONTENT))

  def _stalled(self):
    """Stops in the middle of the first answer without ending it."""
    if self.headers.get('Range'):
      return self._good()
    self._send(_CONTENT[:500000], length=len(_CONTENT))
    self.wfile.flush()
    return self.server.over.wait(20)

  def _always_interrupted(self):
    self._send(b'', length=len(_CONTENT))

  def _other(self):
    self._send(_CONTENT[::-1])

  def _missing(self):
    self.send_error(404)

  def _broken(self):
    self.send_error(503)

  def log_message(self, format, *args):  # pylint: disable=redefined-builtin
    pass


class _Server(http.server.HTTPServer):

  def __init__(self):
    super().__init__(('127.0.0.1', 0), _Handler)
    self.requests = []
    self.over = threading.Event()

  def process_request(self, request, client_address):
    threading.Thread(target=self._serve, args=(request, client_address),
                     daemon=True).start()

  def _serve(self, request, client_address):
    try:
      self.finish_request(request, client_address)
    except OSError:
      pass
    finally:
      self.shutdown_request(request)


@pytest.fixture
def server(monkeypatch):
  monkeypatch.setenv('no_proxy', '*')
  monkeypatch.setattr(transfer, '_SECONDS_BETWEEN_ATTEMPTS', 0.01)
  running = _Server()
  running.url = 'http://127.0.0.1:%d/' % running.server_port
  thread = threading.Thread(target=running.serve_forever, args=(0.02,))
  thread.start()
  yield running
  running.over.set()
  running.shutdown()
  thread.join()
  running.server_close()


def _fetch(tmp_path, *urls, **announced):
  return transfer.fetch(list(urls), str(tmp_path / 'd' / 'x'), **announced)


def test_whole_file_with_size_and_checksum(tmp_path, server):
  path = _fetch(tmp_path, server.url + 'good', size=len(_CONTENT),
                sha256=_SHA256)
  with open(path, 'rb') as fetched:
    assert fetched.read() == _CONTENT
  assert os.listdir(os.path.dirname(path)) == ['x']


def test_file_that_is_there_is_not_fetched_again(tmp_path, server):
  for _ in range(2):
    _fetch(tmp_path, server.url + 'good', sha256=_SHA256)
  assert len(server.requests) == 1


def test_damaged_file_that_is_there_is_fetched_again(tmp_path, server):
  path = _fetch(tmp_path, server.url + 'good')
  with open(path, 'wb') as target:
    target.write(b'x' + _CONTENT[1:])
  _fetch(tmp_path, server.url + 'good', size=len(_CONTENT), sha256=_SHA256)
  with open(path, 'rb') as fetched:
    assert fetched.read() == _CONTENT


def test_without_a_checksum_nothing_of_an_earlier_run_is_taken(
    tmp_path, server):
  (tmp_path / 'd').mkdir()
  (tmp_path / 'd' / 'x').write_bytes(b'of another URL')
  (tmp_path / 'd' / 'x.part').write_bytes(b'of another URL')
  path = _fetch(tmp_path, server.url + 'good')
  with open(path, 'rb') as fetched:
    assert fetched.read() == _CONTENT
  assert server.requests == [('/good', None)]


def test_part_of_an_earlier_run_is_gone_on_with(tmp_path, server):
  (tmp_path / 'd').mkdir()
  (tmp_path / 'd' / 'x.part').write_bytes(_CONTENT[:700000])
  path = _fetch(tmp_path, server.url + 'good', sha256=_SHA256)
  assert server.requests == [('/good', 'bytes=700000-')]
  assert os.path.getsize(path) == len(_CONTENT)


@pytest.mark.parametrize('part', [
    b'wrong' * 1000, _CONTENT, _CONTENT + b'too long'])
def test_part_that_does_not_fit_is_dropped(tmp_path, server, part):
  (tmp_path / 'd').mkdir()
  (tmp_path / 'd' / 'x.part').write_bytes(part)
  for announced in ({'sha256': _SHA256},
                    {'sha256': _SHA256, 'size': len(_CONTENT)}):
    path = _fetch(tmp_path, server.url + 'good', **announced)
    with open(path, 'rb') as fetched:
      assert fetched.read() == _CONTENT


def test_server_without_ranges_starts_over(tmp_path, server):
  (tmp_path / 'd').mkdir()
  (tmp_path / 'd' / 'x.part').write_bytes(_CONTENT[:700000])
  _fetch(tmp_path, server.url + 'without_ranges', sha256=_SHA256)
  assert len(server.requests) == 1


def test_interrupted_download_is_resumed(tmp_path, server, capsys):
  _fetch(tmp_path, server.url + 'interrupted', sha256=_SHA256)
  assert server.requests[1] == ('/interrupted', 'bytes=500000-')
  assert 'ended after 500000 of 1024000 bytes; trying again' in (
      capsys.readouterr().out)


def test_stalled_download_is_resumed(tmp_path, server, monkeypatch, capsys):
  monkeypatch.setattr(transfer, '_SECONDS_UNTIL_STALLED', 1)
  start = time.time()
  _fetch(tmp_path, server.url + 'stalled', sha256=_SHA256)
  assert time.time() - start < 15
  assert server.requests[1][1].startswith('bytes=')
  assert 'no data for 1 seconds; trying again' in capsys.readouterr().out


def test_next_mirror_is_taken(tmp_path, server):
  urls = [server.url + kind for kind in ('missing', 'other', 'good')]
  path = _fetch(tmp_path, *urls, sha256=_SHA256)
  assert [request[0] for request in server.requests] == [
      '/missing', '/other', '/good']
  assert os.path.getsize(path) == len(_CONTENT)


def test_every_mirror_and_its_reason_are_named(tmp_path, server):
  with socket.socket() as closed:
    closed.bind(('127.0.0.1', 0))
    nobody = 'http://127.0.0.1:%d/good' % closed.getsockname()[1]
    with pytest.raises(OSError) as caught:
      _fetch(tmp_path, server.url + 'missing', server.url + 'broken',
             server.url + 'other', server.url + 'always_interrupted', nobody,
             'file:///no/such/file', sha256=_SHA256)
  message = str(caught.value)
  for part in ('cannot download x; tried: ', 'missing (404 Not Found)',
               'broken (Service Unavailable)',
               'other (SHA-256 %s instead of %s)' % (
                   hashlib.sha256(_CONTENT[::-1]).hexdigest(), _SHA256),
               'ended after 0 of 1024000 bytes', 'refused', 'No such file'):
    assert part in message
  assert message.endswith(')')
  assert 'x' not in os.listdir(tmp_path / 'd')


def test_the_advice_is_the_caller_s(tmp_path):
  url = (tmp_path / 'none').as_uri()
  with pytest.raises(OSError, match=r'\). Ask a friend$'):
    _fetch(tmp_path, url, advice='Ask a friend')
  for source in (url, url + '.zip'):
    with pytest.raises(OSError, match='and give its path as --source$'):
      _obtain(tmp_path, source, 'one')


def test_wrong_size(tmp_path, server):
  with pytest.raises(OSError, match='1024000 bytes instead of 1024001'):
    _fetch(tmp_path, server.url + 'good', size=len(_CONTENT) + 1)


def test_file_url(tmp_path):
  (tmp_path / 'here').write_bytes(_CONTENT)
  path = _fetch(tmp_path, 'file://%s/here' % tmp_path, sha256=_SHA256)
  assert os.path.getsize(path) == len(_CONTENT)


def test_other_schemes_are_refused(tmp_path):
  with pytest.raises(ValueError, match='ftp://x/y: only http, https, file'):
    _fetch(tmp_path, 'ftp://x/y')


def _obtain(tmp_path, source, *names):
  published = downloads.Published(
      ('http://127.0.0.1:9/',),
      [downloads.RemoteFile(name, 3, '0' * 64) for name in names])
  return downloads.obtain(source, published, str(tmp_path / 'downloads'),
                          str(tmp_path / 'unpacked'))


def test_folder_is_taken_as_it_is(tmp_path):
  assert _obtain(tmp_path, str(tmp_path)) == str(tmp_path)
  assert not os.listdir(tmp_path)


def test_archive_is_unpacked_aside(tmp_path):
  archive = raw_files.write_tar(tmp_path / 'a', [('d/one', b'12')])
  folder = _obtain(tmp_path, archive)
  assert folder == str(tmp_path / 'unpacked')
  assert os.listdir(folder) == ['d']


@pytest.mark.parametrize('slash', ['', '/'])
def test_url_of_the_folder_above_the_published_files(tmp_path, slash):
  (tmp_path / 'one').write_bytes(b'1')
  (tmp_path / 'two').write_bytes(b'22')
  folder = _obtain(tmp_path, 'file://%s%s' % (tmp_path, slash), 'one', 'two')
  assert sorted(os.listdir(folder)) == ['one', 'two']


def test_url_of_an_archive(tmp_path):
  raw_files.write_tar(tmp_path / 'a.tar.gz', [('d/one', b'12')])
  folder = _obtain(tmp_path, 'file://%s/a.tar.gz' % tmp_path, 'other')
  assert os.listdir(folder) == ['d']


def test_url_of_an_archive_with_a_query(tmp_path, server, monkeypatch):
  raw_files.write_tar(tmp_path / 'a', [('d/one', b'12')])
  content = (tmp_path / 'a').read_bytes()
  monkeypatch.setattr(_Handler, '_good', lambda self: self._send(content))
  folder = _obtain(tmp_path, server.url + 'good/x.TGZ?raw=1')
  assert os.listdir(folder) == ['d']
  assert server.requests[0][0] == '/good/x.TGZ?raw=1'


def test_places_are_a_folder_and_those_in_it(tmp_path):
  for name in ('b', 'a/deeper'):
    (tmp_path / name).mkdir(parents=True)
  (tmp_path / 'file').write_text('')
  assert downloads.candidates(str(tmp_path)) == [
      str(tmp_path), str(tmp_path / 'a'), str(tmp_path / 'b')]


def test_published_archive_is_checked_and_unpacked(tmp_path):
  archive = raw_files.write_tar(tmp_path / 'a.tgz', [('d/one', b'12')])
  with open(archive, 'rb') as source:
    content = source.read()
  remote = downloads.RemoteFile(
      'a.tgz', len(content), hashlib.sha256(content).hexdigest())
  mirror = 'file://%s/' % tmp_path
  folder = downloads.obtain(
      None, downloads.Published((mirror + 'none/', mirror), (remote,)),
      str(tmp_path / 'downloads'), str(tmp_path / 'unpacked'))
  assert os.listdir(folder) == ['d']
  with pytest.raises(OSError, match='SHA-256'):
    downloads.obtain(
        None, downloads.Published((mirror,), (remote._replace(sha256='0'),)),
        str(tmp_path / 'other'), str(tmp_path / 'unpacked'))


def test_source_that_is_not_there(tmp_path):
  with pytest.raises(FileNotFoundError, match='there is no .*/none: --source '
                     'takes a directory, an archive or a URL'):
    _obtain(tmp_path, str(tmp_path / 'none'))


def test_source_that_is_neither_folder_nor_archive(tmp_path):
  (tmp_path / 'text').write_text('text')
  with pytest.raises(ValueError, match='text is no tar or zip archive'):
    _obtain(tmp_path, str(tmp_path / 'text'))


def test_a_message_on_an_archive_names_its_url(tmp_path):
  url = (tmp_path / 'a.zip').as_uri()
  (tmp_path / 'a.zip').write_bytes(b'<!DOCTYPE html>')
  with pytest.raises(ValueError, match='^%s is a web page, no tar or' % url):
    downloads.obtain(url, None, str(tmp_path / 'downloads'),
                     str(tmp_path / 'unpacked'))
