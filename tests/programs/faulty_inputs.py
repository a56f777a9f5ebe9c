"""Runs the programs with inputs at fault; see faulty_inputs_test.py.

  python -m tests.programs.faulty_inputs DIRECTORY FAULT,... [CASE ...]

DIRECTORY holds data (digits as records), checkpoint, export and image.png.
FAULT is absent, empty, directory or unreadable. It prints JSON lines: [case,
fault, status, lines of output]. TensorFlow is loaded once; each case is a fork.
"""
import ctypes
import importlib
import io
import json
import os
import shutil
import sys
import time

from slim_common import runtime

# Limit for a program, after which it counts as one that hangs.
SECONDS = 30
_MODULES = ('train.loop', 'evaluate.evaluation', 'export.export',
            'classify.classify')

_DATA = ['--dataset_name=mnist', '--dataset_dir={0}/data']
_NETWORK = ['--model_name=lenet']
_TRAINING = _DATA + _NETWORK + [
    '--train_dir={0}/run', '--max_number_of_steps=1', '--batch_size=2']
_EVALUATION = _DATA + _NETWORK + [
    '--checkpoint_path={0}/checkpoint', '--eval_dir=']
# Case: (program, arguments, the file at fault); {0} is the directory.
CASES = {
    'records in training': (
        'train_image_classifier', _TRAINING,
        'data/mnist_train.tfrecord'),
    'class weights in training': (
        'train_image_classifier', _TRAINING + [
            '--class_weights={0}/weights.csv'], 'weights.csv'),
    'checkpoint in training': (
        'train_image_classifier', _TRAINING + [
            '--checkpoint_path={0}/checkpoint/model.ckpt-7'],
        'checkpoint/model.ckpt-7.index'),
    'values of a checkpoint in training': (
        'train_image_classifier', _TRAINING + [
            '--checkpoint_path={0}/checkpoint/model.ckpt-7'],
        'checkpoint/model.ckpt-7.data-00000-of-00001'),
    'records in evaluation': (
        'eval_image_classifier', _EVALUATION,
        'data/mnist_test.tfrecord'),
    'directory of a checkpoint in evaluation': (
        'eval_image_classifier', _EVALUATION, 'checkpoint'),
    'checkpoint in evaluation': (
        'eval_image_classifier', _EVALUATION,
        'checkpoint/model.ckpt-7.index'),
    'state of a checkpoint in evaluation': (
        'eval_image_classifier', _EVALUATION,
        'checkpoint/checkpoint'),
    'checkpoint in an export': (
        'export_inference_graph', _DATA + _NETWORK + [
            '--checkpoint_path={0}/checkpoint', '--output_dir={0}/new'],
        'checkpoint/model.ckpt-7.data-00000-of-00001'),
    'labels in an export': (
        'export_inference_graph', _DATA + _NETWORK + [
            '--checkpoint_path={0}/checkpoint', '--output_dir={0}/new',
            '--labels_file={0}/labels.txt'], 'labels.txt'),
    'record of an export': (
        'classify_image', ['--graph={0}/export', '{0}/image.png'],
        'export/model.json'),
    'labels of an export': (
        'classify_image', ['--graph={0}/export', '{0}/image.png'],
        'export/labels.txt'),
    'frozen graph': (
        'classify_image', ['--graph={0}/export', '{0}/image.png'],
        'export/frozen_inference_graph.pb'),
    'SavedModel': (
        'classify_image', ['--graph={0}/export/saved_model', '{0}/image.png'],
        'export/saved_model/saved_model.pb'),
    'export': (
        'classify_image', ['--graph={0}/export', '{0}/image.png'], 'export'),
    'checkpoint in classification': (
        'classify_image', _DATA + _NETWORK + [
            '--checkpoint_path={0}/checkpoint', '{0}/image.png'],
        'checkpoint/model.ckpt-7.index'),
    'image': (
        'classify_image', ['--graph={0}/export', '{0}/image.png'],
        'image.png'),
    'directory of images': (
        'classify_image', ['--graph={0}/export', '{0}/images'], 'images'),
}


def _obey_permissions():
  """Makes this process, which may be root's, obey those of files."""
  libc = ctypes.CDLL(None, use_errno=True)
  for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def _spoil(path, fault):
  was_directory = os.path.isdir(path)
  if fault == 'unreadable':
    os.chmod(path, 0)
    return
  if was_directory:
    shutil.rmtree(path)
  else:
    os.remove(path)
  if fault == 'empty' and not was_directory:
    open(path, 'w').close()
  elif fault in ('empty', 'directory'):
    os.mkdir(path)


def _program(name, arguments, log):
  """Runs a program in this process, which ends with it."""
  descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
  os.dup2(descriptor, 2)
  os.dup2(descriptor, 1)
  sys.stdout = io.TextIOWrapper(os.fdopen(1, 'wb', 0), write_through=True)
  sys.stderr = io.TextIOWrapper(os.fdopen(2, 'wb', 0), write_through=True)
  sys.argv = [name + '.py'] + arguments
  status = 99
  try:
    importlib.import_module(name).run()
  except SystemExit as error:
    status = error.code or 0
  except BaseException as error:  # Would be a traceback.
    print('Traceback: %r' % (error,), file=sys.stderr)
  os._exit(status)


def _status(process):
  """Waits for a process, but not for ever; returns its status."""
  end = time.time() + SECONDS
  while time.time() < end:
    done, status = os.waitpid(process, os.WNOHANG)
    if done:
      return status >> 8 or status
    time.sleep(0.05)
  os.kill(process, 9)
  os.waitpid(process, 0)
  return 'hangs'


def _run(source, case, fault):
  work = source + '-work'
  shutil.copytree(source, work, symlinks=True)
  name, arguments, file = CASES[case]
  path = os.path.join(work, file)
  _spoil(path, fault)
  log = source + '-log'
  process = os.fork()
  if not process:
    _program(name, [word.format(work) for word in arguments], log)
  status = _status(process)
  if fault == 'unreadable':
    os.chmod(path, 0o700)
  shutil.rmtree(work)
  with open(log) as lines:
    text = lines.read().replace(work + '/', '')
  os.remove(log)
  return [case, fault, status, text.splitlines()]


def main(source, faults, *only):
  if os.environ.get('OBEYS') != '1':
    _obey_permissions()
    os.execve(sys.executable, [
        sys.executable, '-W', 'ignore', '-m', __spec__.name, source, faults, *only],
              dict(os.environ, OBEYS='1'))
  runtime.start()
  for name in _MODULES:
    importlib.import_module('image_classifier.' + name)
  for case in only or CASES:
    for fault in faults.split(','):
      print(json.dumps(_run(source, case, fault)), flush=True)


if __name__ == '__main__':
  main(*sys.argv[1:])
