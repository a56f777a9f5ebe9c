"""Makes a checkpoint of the weights of another framework.

  python scripts/import_weights.py resnet50.pth --model_name=resnet_v1_50 \\
      --output=DIR
  python scripts/import_weights.py --list

DIR receives model.ckpt and run.json, from which the programs take the network,
its image size and its preprocessing: --checkpoint_path=DIR is all they need.
nets/README.md lists what can be imported.
"""
import dataclasses
import os
import sys
from typing import Optional, Tuple

if __name__ == '__main__':
  # Python puts the directory of this file there instead of the project's.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from slim_common import flags
from slim_common import runtime
from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class Import:
  """Import."""
  files: Tuple[str, ...] = flag(
      (), 'File of weights: .pth or .safetensors of PyTorch, .h5 or .keras of '
      'Keras, a .tflite file in floating point, a frozen GraphDef (.pb) or the '
      'directory of a SavedModel.',
      positional=True)
  model_name: Optional[str] = flag(
      None, 'Name of the network here.', required=True)
  output: Optional[str] = flag(
      None, 'Directory for the checkpoint.', required=True, metavar='DIR')
  source: Optional[str] = flag(
      None, 'What the file was saved from. Default: what its names fit.',
      choices=('torchvision', 'timm', 'keras', 'keras_2018', 'tflite'))
  list: bool = flag(
      False, 'List the networks of each source.', standalone=True)


def main(config):
  runtime.start()
  from image_classifier.import_weights import importing
  if config.list:
    for source in importing.SOURCES:
      print('%s: %s' % (source, ', '.join(importing.module_of(source).ROWS)))
    return
  if len(config.files) != 1:
    raise flags.UsageError(
        'give one file of weights, not %d; see --help.' % len(config.files))
  result = importing.run(
      config.files[0], config.model_name, config.output, config.source)
  print('%s: %d layers of %s filled from a file of %s.' % (
      result.checkpoint, len(result.network.layers), config.model_name,
      result.source))
  if result.source == 'tflite':
    print('Batch normalization is folded into the weights: to train the '
          'network, give --freeze_batch_norm.')
  for title, names in (('initialized, as the file lacks them',
                        result.initialized),
                       ('unused tensors of the file', result.unused)):
    if names:
      print('%d %s: %s' % (len(names), title, ', '.join(names[:4]) + (
          ', ...' if len(names) > 4 else '')))


def run():
  flags.run(main, Import, __doc__)


if __name__ == '__main__':
  run()
