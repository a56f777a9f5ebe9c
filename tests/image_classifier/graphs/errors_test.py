"""Messages made of TensorFlow's errors."""
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.graphs import errors


def _message(run, config=options.Train()):
  with pytest.raises(ValueError) as error:
    with errors.explained(config):
      run()
  return str(error.value)


def _raiser(kind, message):
  def run():
    raise kind(None, None, message)
  return run


def test_an_assertion_becomes_a_sentence():
  label = tf.placeholder(tf.int64, [])
  check = tf.Assert(label < 10, [
      'Label', label, 'of record', 3, 'of file', tf.constant('a.tfrecord'),
      'is outside [0, 10).'])

  def run():
    with tf.Session() as session:
      session.run(check, {label: 12})

  assert _message(run) == (
      'Label 12 of record 3 of file a.tfrecord is outside [0, 10).')


def test_an_assertion_of_several_lines_and_letters_beyond_ascii():
  check = tf.Assert(tf.constant(False), ['Records:\n  \xe9\u732b\\ "a".jpg'])

  def run():
    with tf.Session() as session:
      session.run(check)

  assert _message(run) == 'Records:\n  \xe9\u732b\\ "a".jpg'


@pytest.mark.parametrize('message', [
    'Bad bytes\n\t [[{{node Decode}}]]\n\t [[Next]]\n\nOriginal stack trace',
    '{{function_node __inference_map_30}} Bad bytes\n\t [[{{node Decode}}]]',
    '2 root error(s) found.\n  (0) Invalid argument: Bad bytes\n\t [[a]]\n'
    '  (1) Invalid argument: Bad bytes\n\t [[b]]',
    "Graph execution error:\n\nDetected at node a\nNode: 'a'\nBad bytes\n\t "
    '[[{{node a}}]]', 'Bad bytes'])
def test_where_in_the_graph_is_left_out(message):
  assert _message(_raiser(
      tf.errors.InvalidArgumentError, message)) == 'Bad bytes'


@pytest.mark.parametrize('kind', [
    tf.errors.ResourceExhaustedError, lambda *arguments: MemoryError(
        arguments[-1])])
@pytest.mark.parametrize('config, cure', [
    (options.Train(), 'Lower --batch_size (32 now) or --train_image_size; '
     'if the machine, not a GPU, is out of memory, also --shuffle_buffer (4096 '
     'records now). On a GPU --fp16 needs less memory.'),
    (options.Train(deployment=options.Deployment(fp16=True)), 'Lower '
     '--batch_size (32 now) or --train_image_size; if the machine, not a GPU, '
     'is out of memory, also --shuffle_buffer (4096 records now).'),
    (options.Train(data=options.TrainingData(
        batch_size=1, shuffle_buffer=1)), 'Lower --train_image_size; if the '
     'machine, not a GPU, is out of memory, also --shuffle_buffer (1 records '
     'now). On a GPU --fp16 needs less memory.'),
    (options.Evaluate(), 'Lower --batch_size (100 now) or --eval_image_size.')])
def test_out_of_memory(kind, config, cure):
  run = _raiser(kind, 'OOM when allocating tensor\n\t [[{{node a}}]]')
  assert _message(run, config) == (
      'Out of memory (OOM when allocating tensor). ' + cure)


@pytest.mark.parametrize('kind, message', [
    (tf.errors.DataLossError, 'A file is damaged: truncated record at 0. '
     'If it belongs to the dataset, convert the dataset again.'),
    (tf.errors.NotFoundError, 'A file or variable is missing: truncated '
     'record at 0'),
    (tf.errors.UnimplementedError, 'TensorFlow %s cannot compute this here: '
     'truncated record at 0' % tf.__version__)])
def test_other_errors(kind, message):
  assert _message(_raiser(kind, 'truncated record at 0')) == message


@pytest.mark.skipif(not tf.__version__.startswith('1.'),
                    reason='later TensorFlows compute with a rate of 0')
def test_ftrl_without_a_learning_rate():
  weights = tf.get_variable('w', [2])
  step = tf.train.FtrlOptimizer(tf.zeros([])).minimize(
      tf.reduce_sum(weights))

  def run():
    with tf.Session() as session:
      session.run(tf.global_variables_initializer())
      session.run(step)

  assert _message(run) == (
      '--optimizer=ftrl needs a learning rate above 0 at every step: leave out '
      '--warmup_epochs, and use a schedule that stays above 0, such as '
      '--learning_rate_decay_type=fixed.')


def test_the_cause_is_kept():
  with pytest.raises(ValueError) as error:
    with errors.explained(options.Train()):
      _raiser(tf.errors.DataLossError, 'x')()
  assert isinstance(error.value.__cause__, tf.errors.DataLossError)


def test_the_end_of_the_data_passes():
  with pytest.raises(tf.errors.OutOfRangeError):
    with errors.explained(options.Train()):
      _raiser(tf.errors.OutOfRangeError, 'end')()


def test_a_file_of_another_user():
  assert _message(_raiser(
      tf.errors.PermissionDeniedError, '/data/x; Permission denied')) == (
          'A file may not be read or written by this user: /data/x; Permission '
          'denied. Correct its access rights, for example with chmod.')
