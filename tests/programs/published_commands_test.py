"""The command lines that slim published are understood, flag by flag.

Only parsed: nothing is converted or trained. A command is a program, the flags
without value that it was given, and the values of the others.
"""
import itertools

import pytest

from datasets.conversion import convert_options
from image_classifier import options
from nets import mobilenet_v1_eval
from nets import mobilenet_v1_train
from slim_common import flags

_PROGRAMS = {
    'convert': convert_options.ConvertOptions,
    'train': options.Train,
    'eval': options.Evaluate,
    'export': options.Export,
    'classify': options.Classify,
    'mobilenet_v1_train': mobilenet_v1_train.MobilenetV1Train,
    'mobilenet_v1_eval': mobilenet_v1_eval.MobilenetV1Eval,
}
_REQUIRED = {'classify': ['image.png']}
_LOGGING = (
    '--alsologtostderr', '--logtostderr', '--verbosity=1', '-v=0',
    '--log_dir=LOGS', '--stderrthreshold=info', '--showprefixforinfo')


def _fine_tuning(network, scopes, steps, rate, kind, log):
  """Returns the four commands of slim's scripts for flowers."""
  directory = '/tmp/flowers-models/' + network
  common = {'dataset_name': 'flowers', 'dataset_dir': '/tmp/flowers',
            'model_name': network}
  train = dict(common, dataset_split_name='train', batch_size=32,
               save_interval_secs=60, save_summaries_secs=60,
               optimizer='rmsprop', weight_decay=0.00004)
  fixed = {'learning_rate_decay_type': 'fixed'} if kind == 'fixed' else {}
  stages = [
      dict(train, train_dir=directory, checkpoint_path='/tmp/checkpoints/x.ckpt',
           checkpoint_exclude_scopes=scopes, trainable_scopes=scopes,
           max_number_of_steps=steps[0], learning_rate=0.01,
           log_every_n_steps=log[0], **fixed),
      dict(train, train_dir=directory + '/all', checkpoint_path=directory,
           max_number_of_steps=steps[1], learning_rate=rate,
           log_every_n_steps=log[1], **fixed)]
  for stage in stages:
    yield 'train', (), stage
    yield 'eval', (), dict(
        common, dataset_split_name='validation', eval_dir=stage['train_dir'],
        checkpoint_path=stage['train_dir'])


def _from_scratch(dataset, network, values):
  """Returns the two commands of slim's scripts that start from nothing."""
  common = {'dataset_name': dataset, 'dataset_dir': '/tmp/' + dataset,
            'model_name': network}
  directory = '/tmp/%s-model' % network
  return [
      ('train', (), dict(
          common, train_dir=directory, dataset_split_name='train',
          preprocessing_name=network, optimizer='sgd', log_every_n_steps=100,
          **values)),
      ('eval', (), dict(
          common, checkpoint_path=directory, eval_dir=directory,
          dataset_split_name='test', preprocessing_name=network))]


_IMAGENET = {'dataset_name': 'imagenet', 'dataset_dir': 'D'}
_SCRIPTS = list(itertools.chain(
    [('convert', (), {'dataset_name': name, 'dataset_dir': '/tmp/' + name})
     for name in ('mnist', 'cifar10', 'flowers')],
    _from_scratch('mnist', 'lenet', {
        'max_number_of_steps': 20000, 'batch_size': 50, 'learning_rate': 0.01,
        'save_interval_secs': 60, 'save_summaries_secs': 60,
        'learning_rate_decay_type': 'fixed', 'weight_decay': 0}),
    _from_scratch('cifar10', 'cifarnet', {
        'max_number_of_steps': 100000, 'batch_size': 128, 'learning_rate': 0.1,
        'save_interval_secs': 120, 'save_summaries_secs': 120,
        'learning_rate_decay_factor': 0.1, 'num_epochs_per_decay': 200,
        'weight_decay': 0.004}),
    _fine_tuning('inception_v1', 'InceptionV1/Logits', (3000, 1000), 0.001,
                 'exponential', (100, 100)),
    _fine_tuning('inception_v3', 'InceptionV3/Logits,InceptionV3/AuxLogits',
                 (1000, 500), 0.0001, 'fixed', (100, 10)),
    _fine_tuning('inception_resnet_v2',
                 'InceptionResnetV2/Logits,InceptionResnetV2/AuxLogits',
                 (1000, 500), 0.0001, 'fixed', (10, 10)),
    _fine_tuning('resnet_v1_50', 'resnet_v1_50/logits', (3000, 1000), 0.001,
                 'exponential', (100, 100)),
    [('export', (), {'model_name': name, 'image_size': 224,
                     'output_file': 'unfrozen_graph.pb', 'dataset_dir': 'D'})
     for name in ('mobilenet_v1', 'mobilenet_v1_075', 'mobilenet_v1_050',
                  'mobilenet_v1_025')]))
_README = [
    ('convert', ('alsologtostderr',), {
        'dataset_name': 'visualwakewords', 'dataset_dir': 'D',
        'small_object_area_threshold': 0.005,
        'foreground_class_of_interest': 'person'}),
    ('train', (), dict(_IMAGENET, train_dir='T', dataset_split_name='train',
                       model_name='inception_v3')),
    ('train', (), {
        'train_dir': 'T', 'dataset_dir': 'D', 'dataset_name': 'flowers',
        'dataset_split_name': 'train', 'model_name': 'inception_v3',
        'checkpoint_path': 'C/inception_v3.ckpt',
        'checkpoint_exclude_scopes':
            'InceptionV3/Logits,InceptionV3/AuxLogits',
        'trainable_scopes': 'InceptionV3/Logits,InceptionV3/AuxLogits'}),
    ('eval', ('alsologtostderr',), dict(
        _IMAGENET, checkpoint_path='C/inception_v3.ckpt',
        dataset_split_name='validation', model_name='inception_v3')),
    ('eval', (), dict(
        _IMAGENET, checkpoint_path='C/resnet_v1_50.ckpt', labels_offset=1,
        dataset_split_name='validation', model_name='resnet_v1_50')),
    ('eval', (), dict(
        _IMAGENET, checkpoint_path='C/resnet_v2_50.ckpt', eval_image_size=299,
        dataset_split_name='validation', model_name='resnet_v2_50',
        preprocessing_name='inception')),
    ('export', ('alsologtostderr',), {
        'model_name': 'inception_v3',
        'output_file': '/tmp/inception_v3_inf_graph.pb'}),
    ('export', ('alsologtostderr',), {
        'model_name': 'mobilenet_v1', 'image_size': 224,
        'output_file': '/tmp/mobilenet_v1_224.pb'}),
    ('export', ('is_video_model', 'write_text_graphdef'), {
        'model_name': 'i3d', 'num_frames': 64, 'output_file': 'g.pbtxt'}),
    # Of the pages of the families.
    ('eval', (), dict(
        _IMAGENET, checkpoint_path='C/model.ckpt', eval_image_size=331,
        dataset_split_name='validation', model_name='nasnet_large',
        moving_average_decay=0.9999, batch_size=100)),
    ('train', (), dict(
        _IMAGENET, dataset_split_name='train', model_name='mobilenet_v2',
        train_dir='T', preprocessing_name='inception_v2', label_smoothing=0.1,
        learning_rate=0.045, batch_size=96, num_clones=1,
        moving_average_decay=0.9999, learning_rate_decay_factor=0.98,
        num_epochs_per_decay=2.5)),
    ('train', ('clone_on_cpu', 'sync_replicas'), dict(
        _IMAGENET, model_name='inception_v3', master='grpc://h:2222', task=0,
        worker_replicas=2, num_ps_tasks=1, replicas_to_aggregate=2)),
    ('mobilenet_v1_train', (), {
        'dataset_dir': 'D', 'checkpoint_dir': 'T', 'quantize': True}),
    ('mobilenet_v1_train', ('quantize',), {
        'dataset_dir': 'D', 'checkpoint_dir': 'T',
        'fine_tune_checkpoint': 'C/mobilenet_v1_1.0_224.ckpt'}),
    ('mobilenet_v1_eval', (), {
        'dataset_dir': 'D', 'checkpoint_dir': 'T', 'eval_dir': 'E'}),
    ('mobilenet_v1_eval', (), {
        'dataset_dir': 'D', 'checkpoint_dir': 'T', 'quantize': True}),
]


def _words(switches, values, apart):
  words = ['--' + name for name in switches]
  for name, value in values.items():
    words += (['--' + name, str(value)] if apart and value is not True else
              ['--%s=%s' % (name, value)])
  return words


@pytest.mark.parametrize('apart', [False, True])
@pytest.mark.parametrize('commands', [_SCRIPTS, _README])
def test_commands(commands, apart):
  for program, switches, values in commands:
    words = _words(switches, values, apart)
    config, warnings = flags.parse(words, _PROGRAMS[program])
    assert warnings == [], words
    found = flags.as_dict(config)
    for name, value in values.items():
      typed = found[name]
      typed = ','.join(typed) if isinstance(typed, tuple) else typed
      assert typed == value, words


@pytest.mark.parametrize('program', sorted(_PROGRAMS))
def test_every_program_takes_the_flags_of_logging(program):
  required = _REQUIRED.get(program) or next(
      _words((), values, False) for name, _, values in _README
      if name == program)
  plain = flags.parse(required, _PROGRAMS[program])
  for word in _LOGGING:
    assert flags.parse(required + [word], _PROGRAMS[program]) == plain
