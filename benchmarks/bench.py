"""Measures this project and what could be used instead, in one run.

  python -m benchmarks.bench --output_dir=DIR [--only=step,input] [--full]
      [--rounds=3] [--seconds=0.3] [--programs=help,train]
  python -m benchmarks.bench --compare=A,B

Every environment of `make env` that exists takes part (.venv, .venv-mkl,
.venv-tf2), and PyTorch and Keras where `make env-peers` has been run. The
contenders of a case work in turns, each in a process of its own, so that other
load on the machine affects all. DIR gets bench.md, the tables, and bench.json,
every turn. `--compare` prints two such files beside each other.

  input      batches of 32 from JPEGs of 500 x 375 pixels: the crops and colors
             of inception at 299 x 299, the crops of vgg at 224 x 224
  step       a training step on a batch in memory
  train      the same from files, with all that a training does beside, and the
             step alone
  evaluate   batches of an evaluation from files, and its network and its input
             alone
  inference  the forms of an export
  programs   whole processes: see `python -m benchmarks.startup --help`

Without --full, two small networks, the exports of one, and three turns each;
--full measures all networks, seven turns each, and takes several times as long.

"ratio" is the contender's images/s as a multiple of those of the first of its
case, the median over the rounds; "CPU ratio" is the same of images per CPU
second, which other programs disturb less. A ratio above 1 is faster.
"""
import argparse
import collections
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

from benchmarks import common
from benchmarks import input_pipeline
from benchmarks import startup
from benchmarks import train
from benchmarks.contenders import tables
from benchmarks.contenders import turns
from slim_common import atomic_files

_PEERS = os.path.join(common.ROOT, '.venv-peers', 'bin', 'python')
_SIZES = {'lenet': (28, 1)}
_DEFAULT_SIZE = (224, 3)
# What a small run measures, and what all.
Scope = collections.namedtuple(
    'Scope', 'networks exported programs rounds seconds')
SMALL = Scope(
    ('lenet', 'mobilenet_v1_025'), ('mobilenet_v1',),
    tuple(case for case in startup.CASES if case != 'first step'), 3, 0.3)
FULL = Scope(
    SMALL.networks + ('mobilenet_v2', 'resnet_v1_50'),
    SMALL.exported + ('resnet_v1_50',), startup.CASES, 7, 0.5)
_CLASSES = 1001
# Images of a batch of the evaluation, and classes of the data.
_EVALUATION_BATCH, _DATA_CLASSES = 32, 10
_FORMS = ('frozen_inference_graph.pb', 'saved_model', 'model.tflite',
          'model.onnx')
# Work of a section to what this project does of it, and its title.
_OURS = {'step': {'step': 'ours'},
         'end_to_end': {'end_to_end': 'ours', 'step': 'step alone'}}
# On JAX a step takes so long that its input costs nothing.
_KERAS_BACKENDS = {
    'step': ('tensorflow', 'jax'), 'end_to_end': ('tensorflow',)}
# Reader of PyTorch to its transforms, for a case of `input_pipeline`.
_TORCH_RECIPES = {
    'inception': {'DataLoader': 'inception',
                  'DataLoader, no colors': 'inception without colors'},
    'vgg': {'DataLoader': 'vgg'}}
_PACKAGES = ('tensorflow', 'tensorflow-cpu', 'intel-tensorflow', 'tf-slim',
             'torch', 'torchvision', 'keras', 'jax', 'onnxruntime', 'openvino',
             'numpy')


class Bench:
  """What a run measures with.

  Args:
    data: directory for temporary files.
    scope: the `Scope` of what is measured.
  """

  def __init__(self, data, scope):
    self.data, self.scope = data, scope
    # Today's TensorFlow is what others are compared with.
    self.stacks = sorted(common.environments(), key=lambda item: (
        item[0] != 'tf2'))
    self.peers = os.path.exists(_PEERS)
    self.threads = os.cpu_count()

  def play(self, section, case, contenders):
    """Lets them work; returns a dict of each, what bench.json holds."""
    turns.play(contenders, self.scope.rounds, self.scope.seconds)
    return [dict(section=section, case=case, contender=found.name,
                 problem=found.problem, turns=found.turns)
            for found in contenders]


def measure_input(bench):
  """Yields the results of input pipelines."""
  records = os.path.join(bench.data, 'jpeg', 'image_folder_train_*')
  for case in ('inception', 'vgg'):
    described = input_pipeline.CASES[case]
    contenders = [
        input_pipeline.contender(kind, described, bench.threads, records,
                                 python, '%s, %s' % (title, stack))
        for kind, title in (
            ('pipeline', 'ours'), ('window', 'decoding of the crops alone'),
            ('whole', 'plain tf.data'), ('queue', "slim's queues"))
        for stack, python in bench.stacks]
    if bench.peers:
      contenders += [
          turns.Contender('PyTorch ' + name, _PEERS, 'torch_networks',
                          work='input', data=bench.data, preprocessing=recipe,
                          size=described.size, threads=bench.threads, batch=32)
          for name, recipe in _TORCH_RECIPES[case].items()]
    yield bench.play('input', '%s, %d threads' % (case, bench.threads),
                     contenders)


def _training_work(bench, network):
  size, channels = _SIZES.get(network, _DEFAULT_SIZE)
  case = train.CASES[network]
  return dict(network=network, size=size, channels=channels, data=bench.data,
              batch=case.batch_size, threads=bench.threads,
              preprocessing='lenet' if network == 'lenet' else 'vgg' if (
                  network.startswith('resnet')) else 'inception')


def measure_steps(bench, kind='step'):
  """Yields the results of training steps, or of trainings from files."""
  for network in bench.scope.networks:
    work = dict(_training_work(bench, network), work=kind)
    contenders = [
        turns.Contender('%s, %s' % (title, stack), python, 'ours',
                        **dict(work, work=ours))
        for stack, python in bench.stacks
        for ours, title in _OURS[kind].items()]
    if bench.peers:
      contenders.append(turns.Contender(
          'PyTorch', _PEERS, 'torch_networks', **work))
      contenders += [turns.Contender(
          'Keras on ' + backend, _PEERS, 'keras_networks', backend=backend,
          **work) for backend in _KERAS_BACKENDS[kind]
                     if kind == 'step' or network != 'lenet']
    yield bench.play('step' if kind == 'step' else 'train', '%s, batch %d' % (
        network, work['batch']), contenders)


def measure_training(bench):
  """Yields the results of trainings from files."""
  yield from measure_steps(bench, 'end_to_end')


def measure_evaluation(bench):
  """Yields the results of evaluations."""
  for network in bench.scope.networks:
    work = _training_work(bench, network)
    work['batch'] = _EVALUATION_BATCH
    # That of LeNet has been made with the data.
    checkpoint = os.path.join(bench.data, 'lenet', 'model.ckpt-1')
    if network != 'lenet':
      checkpoint = _random_checkpoint(
          bench.stacks[0][1], network, os.path.join(bench.data, network),
          _DATA_CLASSES)
    contenders = [
        turns.Contender('%s, %s' % (title, stack), python, 'ours',
                        **dict(work, work=kind, checkpoint=checkpoint))
        for stack, python in bench.stacks
        for kind, title in (('bare_inference', 'network alone'),
                            ('evaluation_input', 'input alone'),
                            ('evaluation', 'ours'))]
    if bench.peers:
      contenders.append(turns.Contender(
          'PyTorch', _PEERS, 'torch_networks',
          **dict(work, work='evaluation')))
      if network != 'lenet':
        contenders += [turns.Contender(
            'Keras on ' + backend, _PEERS, 'keras_networks', backend=backend,
            **dict(work, work='evaluation'))
                       for backend in ('tensorflow', 'jax')]
    yield bench.play('evaluate', '%s, batch %d' % (network, _EVALUATION_BATCH),
                     contenders)


def measure_inference(bench):
  """Yields the results of exports."""
  for network in bench.scope.exported:
    exports = {stack: _export(python, network, os.path.join(
        bench.data, stack, network)) for stack, python in bench.stacks}
    for batch in (1, 16):
      work = dict(work='inference', network=network, size=_DEFAULT_SIZE[0],
                  batch=batch, classes=_CLASSES)
      contenders = [
          turns.Contender('%s, %s' % (form, stack), python, 'ours', form=form,
                          export=exports[stack], **work)
          for form in _FORMS for stack, python in bench.stacks]
      if bench.peers:
        contenders += [
            turns.Contender('PyTorch, ' + form, _PEERS, 'torch_networks',
                            form=form, **work)
            for form in ('eager', 'compiled', 'onnx')] + [
                turns.Contender('Keras on ' + backend, _PEERS, 'keras_networks',
                                backend=backend, **work)
                for backend in ('tensorflow', 'jax')]
        contenders += [
            turns.Contender('OpenVINO in %s on model.onnx, %s' % (
                precision, stack), _PEERS, 'openvino_network',
                            export=exports[stack], precision=precision, **work)
            for stack, _ in bench.stacks for precision in ('f32', 'bf16')]
      yield bench.play('inference', '%s, batch %d' % (network, batch),
                       contenders)


def _random_checkpoint(python, network, directory, classes):
  """Saves random weights; returns the prefix of the checkpoint."""
  os.makedirs(directory)
  subprocess.run(
      [python, '-W', 'ignore', '-c', 'from slim_common import runtime; '
       'runtime.start(); from benchmarks.contenders import random_checkpoint; '
       'random_checkpoint.save(%r, %d, %r, %d)' % (
           network, _DEFAULT_SIZE[0], directory, classes)],
      cwd=common.ROOT, check=True)
  return os.path.join(directory, 'model.ckpt')


def _export(python, network, directory):
  """Exports random weights in every form; returns the directory."""
  checkpoint = _random_checkpoint(python, network, directory, _CLASSES)
  output = os.path.join(directory, 'export')
  subprocess.run(
      [python, 'export_inference_graph.py', '--model_name=' + network,
       '--num_classes=%d' % _CLASSES, '--output_dir=' + output,
       '--checkpoint_path=' + checkpoint,
       '--fold_batch_norm', '--tflite', '--onnx'],
      cwd=common.ROOT, check=True, stdout=subprocess.DEVNULL)
  return output


def measure_programs(bench):
  """Yields the results of whole processes."""
  for case in bench.scope.programs:
    yield bench.play('programs', case, startup.contenders(
        case, bench.stacks, bench.data))


SECTIONS = {'input': measure_input, 'step': measure_steps,
            'train': measure_training, 'evaluate': measure_evaluation,
            'inference': measure_inference, 'programs': measure_programs}


def run(output_dir, sections, scope):
  """Measures sections and keeps bench.json and bench.md up to date."""
  os.makedirs(output_dir, exist_ok=True)
  with tempfile.TemporaryDirectory() as data:
    bench = Bench(data, scope)
    started = time.time()
    facts = machine_facts(bench)
    startup.prepare(common.environments()[0][1], data)
    results = []
    for section in sections:
      for found in SECTIONS[section](bench):
        results += found
        facts['minutes'] = round((time.time() - started) / 60, 1)
        _write(output_dir, facts, results)
        print('%s, %s' % (section, found[0]['case']), flush=True)
  print('The tables are in %s.' % os.path.join(output_dir, 'bench.md'))


def machine_facts(bench):
  """Returns what the figures depend on: machine, settings, versions."""
  with open('/proc/cpuinfo') as lines:
    names = {line.split(':')[1].strip() for line in lines
             if line.startswith('model name')}
  environments = bench.stacks + ([('peers', _PEERS)] if bench.peers else [])
  return {
      'date': time.strftime('%Y-%m-%d'), 'processor': ', '.join(sorted(names)),
      'cores': bench.threads, 'system': platform.platform(),
      'load': '%.1f' % os.getloadavg()[0], 'rounds': bench.scope.rounds,
      'seconds of a turn': bench.scope.seconds,
      'versions': {stack: _versions(python) for stack, python in environments}}


def _versions(python):
  """Returns the versions of Python and of the packages that matter."""
  listed = subprocess.run(
      [python, '-m', 'pip', 'list', '--format=json',
       '--disable-pip-version-check'], stdout=subprocess.PIPE, check=True,
      stderr=subprocess.DEVNULL).stdout
  found = {row['name'].lower().replace('_', '-'): row['version']
           for row in json.loads(listed)}
  number = subprocess.check_output([python, '-c', 'import platform; print('
                                    'platform.python_version())'])
  return dict({'python': number.decode().strip()}, **{
      name: found[name] for name in _PACKAGES if name in found})


def _write(output_dir, facts, results):
  with atomic_files.publish(os.path.join(output_dir, 'bench.json')) as target:
    json.dump({'facts': facts, 'results': results}, target, indent=1)
  with atomic_files.publish(os.path.join(output_dir, 'bench.md')) as target:
    target.write('\n'.join(tables.markdown(facts, results)) + '\n')


def _check_run(parser, arguments):
  """Ends with a message if these arguments cannot be measured."""
  for name in ('rounds', 'seconds'):
    given = getattr(arguments, name)
    if given is not None and given <= 0:
      parser.error('--%s=%g: it must be above 0.' % (name, given))
  if arguments.programs and 'programs' not in arguments.only:
    parser.error('--programs chooses cases of the section programs: add it '
                 'to --only.')
  existing = tables.json_of(arguments.output_dir)
  if os.path.isfile(existing):
    parser.error('%s exists: name another directory (make bench OUTPUT=DIR), '
                 'or move it away.' % existing)


def main():
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('--output_dir', default='bench-output',
                      help='directory of the tables (default: %(default)s)')
  parser.add_argument('--only', type=common.names_in(SECTIONS),
                      default=list(SECTIONS), metavar='NAME,...')
  parser.add_argument('--full', action='store_true', help='all networks')
  parser.add_argument('--programs', type=common.names_in(startup.CASES),
                      metavar='NAME,...',
                      help='cases of the section programs, of %s' % ', '.join(
                          startup.CASES))
  for name, kind, text in (('rounds', int, 'turns of each contender'),
                           ('seconds', float, 'length of a turn')):
    parser.add_argument('--' + name, type=kind, help='%s (default: %s, %s with '
                        '--full)' % (text, *(getattr(scope, name) for scope in (
                            SMALL, FULL))))
  parser.add_argument('--compare', metavar='A,B', help='two bench.json')
  arguments = parser.parse_args()
  if not arguments.compare:
    _check_run(parser, arguments)
    scope = FULL if arguments.full else SMALL
    run(arguments.output_dir, arguments.only, scope._replace(
        programs=arguments.programs or scope.programs,
        rounds=arguments.rounds or scope.rounds,
        seconds=arguments.seconds or scope.seconds))
    return
  paths = arguments.compare.split(',')
  if len(paths) != 2 or not all(
      os.path.isfile(tables.json_of(path)) for path in paths):
    parser.error('--compare=%s: name two bench.json, or the directories that '
                 'hold them: --compare=A,B' % arguments.compare)
  print('\n'.join(tables.compare(*paths)))


if __name__ == '__main__':
  sys.exit(main())
