"""Exports every network in every form and compares it with its checkpoint.

  python -m tests.exports.all_networks [NETWORK ...]

Weights are random, pictures small where the network takes them. Each network
has a process of its own. A row is printed for each: the largest difference of
the logits, as a share of the largest logit, for the frozen graph, the folded
graph, the SavedModels of both and TensorFlow Lite. The program ends with
status 1 if one exceeds its tolerance (export_verification.TOLERANCES).
"""
import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import time

_FORMS = ('frozen', 'saved_model', 'tflite', 'folded', 'saved_model_folded')
_VERIFIED = re.compile(r'^Verified (\w+): largest difference (\S+) ', re.M)
# The side of the pictures, by the beginning of the network's name. Others, as
# they end in layers of a fixed size, get their own.
_SIDES = {'inception': 128, 'resnet': 65, 'mobilenet': 64, 'nasnet_mobile': 64,
          'nasnet_large': 96, 'pnasnet': 96}
_FRAMES = 16
_CLASSES = 10
# What TensorFlow Lite lacks: 1.15 has no convolution over time.
_NOT_IN_TFLITE = ('i3d', 's3dg')


def main(names):
  """Runs the networks named, all if none is, and returns the exit status."""
  from nets import nets_factory
  failed = []
  print('%-32s %s seconds' % ('network', ' '.join(
      '%-18s' % form for form in _FORMS)))
  for name in names or nets_factory.networks_map:
    started = time.time()
    result = subprocess.run(
        [sys.executable, '-m', 'tests.exports.all_networks', '--one', name],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True)
    found = dict(_VERIFIED.findall(result.stdout))
    print('%-32s %s %7.0f' % (name, ' '.join(
        '%-18s' % found.get(form, '-') for form in _FORMS),
                              time.time() - started), flush=True)
    if result.returncode:
      failed.append(name)
      print('  ' + '\n  '.join(result.stderr.strip().splitlines()[-3:]),
            flush=True)
  print('All networks agree with their checkpoints.' if not failed else
        'These do not: %s' % ', '.join(failed))
  return 1 if failed else 0


def _one(name):
  """Exports one network; the comparisons are printed by the export."""
  import tensorflow.compat.v1 as tf
  from benchmarks import random_checkpoint
  from nets import nets_factory
  from training import export_graph
  from training import options
  tf.disable_v2_behavior()
  sides = [side for prefix, side in _SIDES.items() if name.startswith(prefix)]
  size = sides[0] if sides else (
      nets_factory.networks_map[name].default_image_size)
  frames = _FRAMES if nets_factory.takes_video(name) else None
  with tempfile.TemporaryDirectory() as folder:
    asked = dataclasses.replace(
        options.Export(), model_name=name, num_classes=_CLASSES,
        image_size=size, is_video_model=bool(frames), num_frames=frames,
        verify=True, overwrite=True,
        checkpoint_path=random_checkpoint.save(
            name, size, folder, _CLASSES, frames),
        output_dir=os.path.join(folder, 'export'),
        tflite=name not in _NOT_IN_TFLITE)
    export_graph.export(asked)
    export_graph.export(dataclasses.replace(
        asked, fold_batch_norm=True, tflite=False))


if __name__ == '__main__':
  if sys.argv[1:2] == ['--one']:
    _one(sys.argv[2])
  else:
    sys.exit(main(sys.argv[1:]))
