"""The command lines of the examples, read before TensorFlow loads.

An example reads its flags above its other imports, so that --help and mistakes
are answered at once, and TensorFlow loads without its greeting.
"""
import argparse
import os
import sys

from slim_common import runtime

CIFAR10_DIR = '/tmp/cifar10_data'


def start(flags):
  """Loads TensorFlow as the programs do; returns the flags.

  Raises:
    SystemExit: TensorFlow is not installed.
  """
  try:
    runtime.start()
  except ValueError as error:
    sys.exit(str(error))
  return flags


def lesson(description, steps, arguments=None, **others):
  """Returns the flags of a lesson: steps, seed, output_dir.

  Args:
    description: docstring of the lesson, which --help shows.
    steps: default of --steps; or in words what decides if it is None.
    arguments: list of words, by default those of the command line.
    others: dict of what `add_argument` takes, of each further flag.
  """
  parser = _parser(description)
  given = None if isinstance(steps, str) else steps
  parser.add_argument(
      '--steps', type=positive, default=given,
      help='number of training steps (default: %s)' % steps)
  parser.add_argument('--seed', type=int, default=0,
                      help='seed of weights and batches (default: %(default)s)')
  parser.add_argument('--output_dir', default=_program() + '-output',
                      help='directory of the files (default: %(default)s)')
  for other, options in others.items():
    parser.add_argument('--' + other, **options)
  return parser.parse_args(arguments)


def gan(description, batch_size, arguments=None):
  """Returns the flags of an example of adversarial training.

  Args:
    description: docstring of the example; --help shows its first line.
    batch_size: default of --batch_size.
    arguments: list of words, by default those of the command line.
  """
  parser = argparse.ArgumentParser(
      description=description.splitlines()[0],
      formatter_class=argparse.ArgumentDefaultsHelpFormatter)
  parser.add_argument('--steps', type=positive, default=200,
                      help='number of training steps')
  parser.add_argument('--batch_size', type=positive, default=batch_size,
                      help='number of digits in a batch')
  parser.add_argument('--seed', type=int, default=0,
                      help='seed of initial weights, noise and order of digits')
  parser.add_argument('--output_dir', default=_program() + '-output',
                      help='directory of samples.png and result.json')
  return parser.parse_args(arguments)


def towers(description, arguments=None):
  """Returns the flags of `towers`; arguments as for `lesson`."""
  parser = _parser(description)
  parser.add_argument('--data_dir', help='directory of the records of MNIST '
                      '(default: 4,000 digits that come with the project)')
  parser.add_argument('--num_devices', type=positive, default=2,
                      help='number of towers (default: %(default)s)')
  parser.add_argument('--batch_size', type=positive, default=32,
                      help='images of a step on each device '
                      '(default: %(default)s)')
  parser.add_argument('--steps', type=positive, default=100,
                      help='number of training steps (default: %(default)s)')
  parser.add_argument('--output_dir', default='towers-output',
                      help='directory of curves.png (default: %(default)s)')
  return parser.parse_args(arguments)


def cifar10(description, arguments=None):
  """Returns the flags of `train_cifar10_multi_gpu`; see there.

  The names and defaults are those of the well-known trainer. Without any flag,
  and without CIFAR-10 where that expects it, --digits is set.

  Args: as for `lesson`.
  """
  arguments = sys.argv[1:] if arguments is None else arguments
  parser = _parser(description)
  for name, default, text in (
      ('train_dir', '/tmp/cifar10_train', 'directory of checkpoints and '
       'loss.png (default: %(default)s)'),
      ('data_dir', CIFAR10_DIR, 'directory of the records of CIFAR-10 '
       '(default: %(default)s)')):
    parser.add_argument('--' + name, default=default, help=text)
  for name, default, text in (
      ('max_steps', 1000000, 'last step; a training in --train_dir goes on'),
      ('num_gpus', 1, 'number of towers'),
      ('batch_size', 128, 'images of a step on each GPU')):
    parser.add_argument('--' + name, type=positive, default=default,
                        help=text + ' (default: %(default)s)')
  parser.add_argument('--use_fp16', action='store_true',
                      help='compute in 16 bits where that is safe')
  parser.add_argument('--log_device_placement', action='store_true',
                      help='say on which device each operation is')
  parser.add_argument(
      '--digits', action='store_true', help='train on the digits that come '
      'with the project, in random colors: by default 30 steps of 32 images, '
      'in /tmp/cifar10_train_digits; so does a call without any flag where '
      'there is no %s' % CIFAR10_DIR)
  if parser.parse_args(arguments).digits or not (
      arguments or os.path.isdir(CIFAR10_DIR)):
    parser.set_defaults(digits=True, max_steps=30, batch_size=32,
                        train_dir='/tmp/cifar10_train_digits')
  return parser.parse_args(arguments)


def call_from_tensorflow_2(description, arguments=None):
  """Returns the flags of `call_from_tensorflow_2`; as for `lesson`."""
  parser = _parser(description)
  parser.add_argument('model_name', help='a name that nets_factory knows')
  parser.add_argument('--checkpoint_path', required=True,
                      help='prefix of the checkpoint')
  parser.add_argument('--num_classes', type=positive, default=1001,
                      help='classes of the checkpoint (default: %(default)s)')
  parser.add_argument('--image_size', type=positive, default=224,
                      help='height and width of the images '
                      '(default: %(default)s)')
  return parser.parse_args(arguments)


def _parser(description):
  return argparse.ArgumentParser(
      description=description,
      formatter_class=argparse.RawDescriptionHelpFormatter)


def _program():
  """Returns the name of the program without .py."""
  return os.path.splitext(os.path.basename(sys.argv[0]))[0] or 'example'


def positive(text):
  """Returns a whole number of at least 1, for argparse."""
  if not text.isdecimal() or not int(text):
    raise argparse.ArgumentTypeError(
        'must be a whole number, 1 or more; got %s' % text)
  return int(text)
