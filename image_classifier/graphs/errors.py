"""TensorFlow's errors as sentences that say what to do."""
import contextlib
import re

import tensorflow.compat.v1 as tf

# What stands before the message in TensorFlow's text.
_BEFORE = re.compile(r'^(\(\d+\) [A-Za-z ]+: )?(\{\{.*?\}\} ?)?')
_ASSERTION = 'assertion failed: '
# In the values of an assertion: \303 (a byte, in octal), \n, \", \\.
_ESCAPE = re.compile(rb'\\([0-7]{3}|.)')
_ESCAPED_BYTES = {b'n': b'\n', b'r': b'\r', b't': b'\t'}
_NOT_POSITIVE = 'lr is not a positive scalar'


@contextlib.contextmanager
def explained(options):
  """Turns errors of a session into a ValueError that says what to do.

  It stands around all that a session runs. What is not known here passes
  unchanged, the end of the data (OutOfRangeError) among it.

  Args:
    options: an `options.Train` or `options.Evaluate`.

  Yields:
    Nothing.

  Raises:
    ValueError: memory is used up, data cannot be read or do not fit, a file is
      damaged or not there.
  """
  try:
    yield
  except (tf.errors.ResourceExhaustedError, MemoryError) as error:
    raise ValueError(_out_of_memory(options, _sentence(error))) from error
  except tf.errors.InvalidArgumentError as error:
    raise ValueError(_invalid(_sentence(error))) from error
  except tf.errors.DataLossError as error:
    raise ValueError(
        'A file is damaged: %s. Where it is one of the dataset, convert the '
        'dataset again.' % _sentence(error).rstrip('.')) from error
  except tf.errors.NotFoundError as error:
    raise ValueError(
        'Something is not where it was: %s' % _sentence(error)) from error
  except tf.errors.UnimplementedError as error:
    raise ValueError(
        'TensorFlow %s cannot compute this here: %s' % (
            tf.__version__, _sentence(error))) from error


def _out_of_memory(options, text):
  """Says what to lower."""
  is_training = hasattr(options, 'deployment')
  size = options.data.batch_size
  cure = '%s%s' % (
      '--batch_size (%d now) or ' % size if size > 1 else '',
      '--train_image_size' if is_training else '--eval_image_size')
  if is_training:
    cure += ('; where it is the memory of the machine, not of a GPU, '
             '--shuffle_buffer (%d records now) too' %
             options.data.shuffle_buffer)
    if not options.deployment.fp16:
      cure += '. On a GPU --fp16 needs less'
  return 'Out of memory%s. Lower %s.' % (
      ' (%s)' % text.rstrip('.') if text else '', cure)


def _invalid(text):
  """Says of an invalid argument how to make it valid, where that is known."""
  if text.startswith(_NOT_POSITIVE):
    return ('--optimizer=ftrl needs a learning rate above 0 at every step: no '
            '--warmup_epochs, and a schedule that stays above 0, such as '
            '--learning_rate_decay_type=fixed.')
  return text


def _sentence(error):
  """Returns what an error says, without where in the graph it was raised."""
  message = getattr(error, 'message', None) or str(error)
  lines = [line.strip() for line in message.strip().splitlines()] or ['']
  # The places, in double brackets, follow the message.
  places = [number for number, line in enumerate(lines) if line[:2] == '[[']
  line = _BEFORE.sub('', lines[max(0, places[0] - 1 if places else 0)])
  head, assertion, values = line.partition(_ASSERTION)
  if assertion:
    # The values of an assertion come as [one] [two] [three].
    return _unescaped(' '.join(values.strip()[1:-1].split('] [')))
  return head


def _unescaped(text):
  """Returns a text in which TensorFlow escaped lines and letters."""

  def byte(match):
    code = match.group(1)
    return bytes([int(code, 8)]) if len(code) == 3 else (
        _ESCAPED_BYTES.get(code, code))

  return _ESCAPE.sub(byte, text.encode()).decode(errors='replace')
