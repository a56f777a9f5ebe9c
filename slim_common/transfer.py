"""Downloads files from mirrors, and checks them."""
import contextlib
import hashlib
import http.client
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

from slim_common import progress

_SCHEMES = ('http', 'https', 'file')
_BLOCK = 1 << 18
_ATTEMPTS_PER_MIRROR = 4
_SECONDS_UNTIL_STALLED = 30
_SECONDS_BETWEEN_ATTEMPTS = 1


class _DoNotRetry(Exception):
  """A download failed in a way that another attempt cannot fix."""


def fetch(urls, path, size=None, sha256=None, advice=None, resume=False):
  """Downloads a file and returns its path.

  If a checksum is given, a file that has it is not downloaded again. A download
  that an earlier run left in `path`.part is resumed if there is a checksum to
  show that it is of the same file, or `resume` says so. A file appears at
  `path` only when it is complete and checked.

  Args:
    urls: list of http, https or file URLs of the same content, tried in turn.
    path: path of the file; its directory is made if it does not exist.
    size: its size in bytes, or None.
    sha256: its SHA-256 in hex, or None.
    advice: a sentence, what to do if no URL gives the file; or None.
    resume: whether the content behind the URLs never changes.

  Raises:
    ValueError: a URL has another scheme.
    OSError: no URL gave the file; the message has the reason of each, and the
      advice.
  """
  for url in urls:
    if urllib.parse.urlsplit(url).scheme not in _SCHEMES:
      raise ValueError('%s: only %s URLs can be downloaded' % (
          url, ', '.join(_SCHEMES)))
  if sha256 and os.path.exists(path) and not _difference(path, size, sha256):
    return path
  os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
  part = path + '.part'
  reasons = []
  for url in urls:
    if not sha256 and not resume and os.path.exists(part):
      os.remove(part)  # Nothing would show that it is of another file.
    reason = _fetch_from(url, part, size, sha256)
    if not reason:
      os.replace(part, path)
      return path
    reasons.append('%s (%s)' % (url, reason))
  raise OSError('cannot download %s; tried: %s%s' % (
      os.path.basename(path), '; '.join(reasons),
      '. ' + advice if advice else ''))


def _fetch_from(url, part, size, sha256):
  """Downloads one URL to `part`; returns why not, or None."""
  reason = None
  for attempt in range(_ATTEMPTS_PER_MIRROR):
    if attempt:
      print('%s: %s; trying again' % (url, reason))
      time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
    resumed = os.path.exists(part)
    try:
      _transfer(url, part, size)
      reason = _difference(part, size, sha256)
      if not reason:
        return None
      os.remove(part)
      if not resumed:
        return reason
    except _DoNotRetry as error:
      return str(error)
    except socket.timeout:
      reason = 'no data for %g seconds' % _SECONDS_UNTIL_STALLED
    except urllib.error.URLError as error:
      reason = str(error.reason)
    except (ConnectionError, http.client.HTTPException) as error:
      reason = str(error) or type(error).__name__
  return reason


def _transfer(url, part, size):
  """Appends to the file `part` what is missing of the content of `url`."""
  done = os.path.getsize(part) if os.path.exists(part) else 0
  if size is not None and done >= size:
    return
  request = urllib.request.Request(url)
  if done:
    request.add_header('Range', 'bytes=%d-' % done)
  with contextlib.closing(_open(request, part)) as response:
    content_range = response.headers.get('Content-Range', '')
    if not content_range.startswith('bytes %d-' % done):
      done = 0  # The whole content comes, not the rest.
    length = response.headers.get('Content-Length')
    total = int(length) + done if length else size
    with open(part, 'ab' if done else 'wb') as target:
      with progress.of_bytes(
          'downloading ' + os.path.basename(url), total) as shown:
        shown.start_from(done)
        for block in iter(lambda: _receive(response), b''):
          target.write(block)
          shown.add(len(block))
          done += len(block)
  if total is not None and done < total:
    raise ConnectionError(
        'the connection ended after %d of %d bytes' % (done, total))


def _receive(response):
  """Returns the next bytes; network errors become ConnectionErrors."""
  try:
    return response.read(_BLOCK)
  except socket.timeout:
    raise
  except OSError as error:
    raise ConnectionError(str(error))


def _open(request, part):
  """Opens a URL; raises _DoNotRetry for failures that are final."""
  try:
    return urllib.request.urlopen(request, timeout=_SECONDS_UNTIL_STALLED)
  except urllib.error.HTTPError as error:
    error.close()
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
      os.remove(part)
    elif error.code < 500:
      raise _DoNotRetry('%d %s' % (error.code, error.reason))
    raise
  except urllib.error.URLError as error:
    if isinstance(error.reason, (socket.timeout, ConnectionResetError)):
      raise
    raise _DoNotRetry(str(error.reason))
  except (socket.timeout, ConnectionError):
    raise
  except OSError as error:
    raise _DoNotRetry(str(error))


def sha256_of(path):
  """Returns the SHA-256 of a file in hex."""
  digest = hashlib.sha256()
  with open(path, 'rb') as source:
    for block in iter(lambda: source.read(_BLOCK), b''):
      digest.update(block)
  return digest.hexdigest()


def _difference(path, size, sha256):
  """Returns how a file differs from what was announced, or None."""
  if size is not None and os.path.getsize(path) != size:
    return '%d bytes instead of %d' % (os.path.getsize(path), size)
  if sha256 is not None:
    found = sha256_of(path)
    if found != sha256:
      return 'SHA-256 %s instead of %s' % (found, sha256)
  return None
