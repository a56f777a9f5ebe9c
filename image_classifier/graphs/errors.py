"""Converts TensorFlow's errors to messages that say what to do."""
import contextlib
import re

import tensorflow.compat.v1 as tf

# What precedes the message in TensorFlow's text.
_BEFORE = re.compile(r'^(\(\d+\) [A-Za-z ]+: )?(\{\{.*?\}\} ?)?')
_ASSERTION = 'assertion failed: '
# In the values of an assertion: \303 (a byte, in octal), \n, \", \\.
_ESCAPE = re.compile(rb'\\([0-7]{3}|.)')
_ESCAPED_BYTES = {b'n': b'\n', b'r': b'\r', b't': b'\t'}
_NEEDS_POSITIVE_RATE = (
    '--optimizer=ftrl needs a learning rate above 0 at every step: leave out '
    '--warmup_epochs, and use a schedule that stays above 0, such as '
    '--learning_rate_decay_type=fixed.')


@contextlib.contextmanager
def explained(options):
  """Converts errors of a session to a ValueError that says what to do.

  A context manager for everything that a session runs. Other errors pass
  unchanged, the end of the data (OutOfRangeError) included.

  Args:
    options: an `options.Train` or `options.Evaluate`.

  Raises:
    ValueError: out of memory, data cannot be read or do not fit, a file is
      damaged, missing or another user's.
  """
  try:
    yield
  except (tf.errors.ResourceExhaustedError, MemoryError) as error:
    raise ValueError(_out_of_memory(options, _sentence(error))) from error
  except tf.errors.InvalidArgumentError as error:
    text = _sentence(error)
    raise ValueError(_NEEDS_POSITIVE_RATE if text.startswith(
        'lr is not a positive scalar') else text) from error
  except tf.errors.DataLossError as error:
    raise ValueError(
        'A file is damaged: %s. If it belongs to the dataset, convert the '
        'dataset again.' % _sentence(error).rstrip('.')) from error
  except tf.errors.NotFoundError as error:
    raise ValueError(
        'A file or variable is missing: %s' % _sentence(error)) from error
  except tf.errors.PermissionDeniedError as error:
    raise ValueError(
        'A file may not be read or written by this user: %s. Correct its '
        'access rights, for example with chmod.' % (
            _sentence(error).rstrip('.'))) from error
  except tf.errors.UnimplementedError as error:
    raise ValueError('TensorFlow %s cannot compute this here: %s' % (
        tf.__version__, _sentence(error))) from error


def _out_of_memory(options, text):
  """Returns a message that says what to lower."""
  is_training = hasattr(options, 'deployment')
  size = options.data.batch_size
  cure = '%s%s' % (
      '--batch_size (%d now) or ' % size if size > 1 else '',
      '--train_image_size' if is_training else '--eval_image_size')
  if is_training:
    cure += ('; if the machine, not a GPU, is out of memory, also '
             '--shuffle_buffer (%d records now)' % options.data.shuffle_buffer)
    if not options.deployment.fp16:
      cure += '. On a GPU --fp16 needs less memory'
  return 'Out of memory%s. Lower %s.' % (
      ' (%s)' % text.rstrip('.') if text else '', cure)


def _sentence(error):
  """Returns the message of an error, without the location in the graph."""
  message = getattr(error, 'message', None) or str(error)
  lines = [line.strip() for line in message.strip().splitlines()] or ['']
  # The locations, in double brackets, follow the message.
  locations = [number for number, line in enumerate(lines) if line[:2] == '[[']
  line = _BEFORE.sub('', lines[max(0, locations[0] - 1 if locations else 0)])
  head, assertion, values = line.partition(_ASSERTION)
  if assertion:
    # The values of an assertion come as [one] [two] [three].
    return _unescaped(' '.join(values.strip()[1:-1].split('] [')))
  return head


def _unescaped(text):
  """Returns a text without the escapes that TensorFlow puts in."""

  def byte(match):
    code = match.group(1)
    return bytes([int(code, 8)]) if len(code) == 3 else (
        _ESCAPED_BYTES.get(code, code))

  return _ESCAPE.sub(byte, text.encode()).decode(errors='replace')
