"""What the recipes of scripts/ run, with a stand-in for Python: no training."""
import os
import pathlib
import shlex
import shutil
import subprocess

import pytest

_SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / 'scripts'
# Notes its arguments, one per line, and answers what a recipe asks for.
_PYTHON = r"""#!/bin/sh
[ "$1" != -c ] || exit {status}
printf '%s\n' "$@" '' >>{notes}
case $1 in
  */fetch_checkpoint.py) echo "fetched/$2" ;;
  */export_inference_graph.py)
    for word; do
      case $word in
        --output_dir=*) mkdir "${{word#*=}}"
          : >"${{word#*=}}/frozen_inference_graph.pb" ;;
      esac
    done ;;
esac
"""
_RMSPROP = dict(optimizer='rmsprop', weight_decay='0.00004', batch_size='32')
_FIXED = dict(_RMSPROP, learning_rate_decay_type='fixed')

pytestmark = pytest.mark.skipif(
    os.name != 'posix', reason='the recipes are shell scripts')


@pytest.fixture(name='python')
def _python(tmp_path):
  return _write_python(tmp_path)


def _write_python(directory, status=0):
  path = directory / 'python'
  path.write_text(_PYTHON.format(
      notes=shlex.quote(str(directory / 'notes')), status=status))
  path.chmod(0o755)
  return path


def _run(python, script, *words, **variables):
  """Returns (exit status, standard output, standard error)."""
  done = subprocess.run(
      ['/bin/sh', str(_SCRIPTS / script), *words], cwd=str(python.parent),
      env=dict({'PATH': os.environ['PATH'], 'PYTHON': str(python)},
               **variables),
      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True)
  return done.returncode, done.stdout, done.stderr


def _programs(python):
  """Returns a list of (program, arguments, flags) that were run."""
  programs = []
  for run in (python.parent / 'notes').read_text().split('\n\n')[:-1]:
    program, *arguments = run.split('\n')
    flags = dict(word[2:].partition('=')[::2] for word in arguments
                 if word.startswith('--'))
    programs.append((
        os.path.basename(program),
        [word for word in arguments if not word.startswith('--')], flags))
  return programs


# Steps and flags are those of slim's recipes.
_TRAINED = [
    ('lenet', 'mnist', '20000', dict(
        preprocessing_name='lenet', batch_size='50', learning_rate='0.01',
        learning_rate_decay_type='fixed', optimizer='sgd', weight_decay='0',
        save_interval_secs='60', log_every_n_steps='100')),
    ('cifarnet', 'cifar10', '100000',
     dict(preprocessing_name='cifarnet', batch_size='128', optimizer='sgd',
          learning_rate='0.1', learning_rate_decay_factor='0.1',
          num_epochs_per_decay='200', weight_decay='0.004',
          save_interval_secs='120', log_every_n_steps='100')),
]
# network, archive, scopes of the head, the two stages.
_FINETUNED = [
    ('inception_v1', 'inception_v1_2016_08_28', 'InceptionV1/Logits', [
        ('3000', dict(_RMSPROP, learning_rate='0.01', log_every_n_steps='100')),
        ('1000', dict(_RMSPROP, learning_rate='0.001',
                      log_every_n_steps='100'))]),
    ('inception_v3', 'inception_v3_2016_08_28',
     'InceptionV3/Logits,InceptionV3/AuxLogits', [
         ('1000', dict(_FIXED, learning_rate='0.01', log_every_n_steps='100')),
         ('500', dict(_FIXED, learning_rate='0.0001',
                      log_every_n_steps='10'))]),
    ('inception_resnet_v2', 'inception_resnet_v2_2016_08_30',
     'InceptionResnetV2/Logits,InceptionResnetV2/AuxLogits', [
         ('1000', dict(_FIXED, learning_rate='0.01', log_every_n_steps='10')),
         ('500', dict(_FIXED, learning_rate='0.0001',
                      log_every_n_steps='10'))]),
    ('resnet_v1_50', 'resnet_v1_50_2016_08_28', 'resnet_v1_50/logits', [
        ('3000', dict(_RMSPROP, learning_rate='0.01', log_every_n_steps='100')),
        ('1000', dict(_RMSPROP, learning_rate='0.001',
                      log_every_n_steps='100'))]),
]
_RECIPES = ['train_%s_on_%s.sh' % row[:2] for row in _TRAINED] + [
    'finetune_%s_on_flowers.sh' % row[0] for row in _FINETUNED]


def _check_stage(programs, network, dataset, split, data_dir, train_dir, steps,
                 flags):
  """Checks a training and the evaluation after it."""
  (train, _, given), (evaluate, _, evaluated) = programs
  assert train == 'train_image_classifier.py'
  assert given.pop('save_summaries_secs') == given['save_interval_secs']
  assert given == dict(
      {'save_interval_secs': '60'}, train_dir=train_dir, dataset_name=dataset,
      dataset_dir=data_dir, dataset_split_name='train', model_name=network,
      max_number_of_steps=steps, **flags)
  assert evaluate == 'eval_image_classifier.py'
  assert evaluated == dict(
      checkpoint_path=train_dir, eval_dir=train_dir, dataset_name=dataset,
      dataset_dir=data_dir, dataset_split_name=split, model_name=network)


@pytest.mark.parametrize('row', _TRAINED, ids=lambda row: row[0])
def test_training_is_that_of_slim(python, row):
  network, dataset, steps, flags = row
  status, _, err = _run(python, 'train_%s_on_%s.sh' % (network, dataset))
  assert (status, err) == (0, '')
  convert, *stage = _programs(python)
  assert convert == ('download_and_convert_data.py', [], dict(
      dataset_name=dataset, dataset_dir='data/' + dataset))
  _check_stage(
      stage, network, dataset, 'test', 'data/' + dataset,
      'runs/%s_on_%s' % (network, dataset), steps, flags)


@pytest.mark.parametrize('row', _FINETUNED, ids=lambda row: row[0])
def test_fine_tuning_is_that_of_slim(python, row):
  network, archive, heads, stages = row
  status, _, err = _run(python, 'finetune_%s_on_flowers.sh' % network)
  assert (status, err) == (0, '')
  convert, fetch, *programs = _programs(python)
  assert convert == ('download_and_convert_data.py', [], dict(
      dataset_name='flowers', dataset_dir='data/flowers'))
  assert fetch == (
      'fetch_checkpoint.py', [archive, 'checkpoints'], {})
  train_dir = 'runs/%s_on_flowers' % network
  starts = (
      (train_dir, dict(
          checkpoint_path='fetched/' + archive, checkpoint_exclude_scopes=heads,
          trainable_scopes=heads)),
      (train_dir + '/all', dict(checkpoint_path=train_dir)))
  for number, (steps, flags) in enumerate(stages):
    directory, start = starts[number]
    _check_stage(programs[2 * number:2 * number + 2], network, 'flowers',
                 'validation', 'data/flowers', directory, steps,
                 dict(start, **flags))


def test_fine_tuning_of_any_network_is_one_command(python):
  status, _, err = _run(
      python, 'finetune_on_image_folder.sh', 'vgg_16', '--source=my/mine/',
      '--num_workers=1', STEPS='7', TRAIN_FLAGS='--seed=1')
  assert (status, err) == (0, '')
  convert, train = _programs(python)
  assert convert[2] == dict(
      dataset_name='image_folder', dataset_dir='data/mine',
      source='my/mine/', num_workers='1')
  assert train == ('train_image_classifier.py', [], dict(
      preset='finetune', model_name='vgg_16', checkpoint_path='vgg_16',
      source='my/mine/', dataset_dir='data/mine',
      train_dir='runs/vgg_16_on_mine', max_number_of_steps='7', seed='1'))


@pytest.mark.parametrize('words, message', [
    ([], 'the network is missing.\nType: {path} mobilenet_v1 '
     '--source=IMAGES\n'),
    (['--source=mine'], 'the network is missing.\nType: {path} mobilenet_v1 '
     '--source=IMAGES\n'),
    (['vgg_16'], 'the images are missing.\nType: {path} vgg_16 '
     '--source=IMAGES\n')])
def test_fine_tuning_of_any_network_refuses(python, words, message):
  script = 'finetune_on_image_folder.sh'
  status, out, err = _run(python, script, *words)
  assert (status, out) == (2, '')
  assert err == script + ': ' + message.format(path=_SCRIPTS / script)


def test_variables_reach_the_programs(python):
  (python.parent / 'my.ckpt.index').write_text('')
  status, out, err = _run(
      python, 'finetune_inception_v3_on_flowers.sh', '--source=my flowers.tgz',
      '--num_workers=1', DATA_DIR='my data', TRAIN_DIR='my model',
      CHECKPOINT='my.ckpt', STEPS='7', BATCH_SIZE='3', IMAGE_SIZE='80',
      TRAIN_FLAGS='--seed=1 --cpu_threads=1')
  assert (status, err) == (0, '')
  convert, first, evaluation, second, _ = _programs(python)
  assert convert[2] == dict(
      dataset_name='flowers', dataset_dir='my data', source='my flowers.tgz',
      num_workers='1')
  for train_dir, start, flags in (('my model', 'my.ckpt', first[2]),
                                  ('my model/all', 'my model', second[2])):
    wanted = dict(
        dataset_dir='my data', train_dir=train_dir, checkpoint_path=start,
        max_number_of_steps='7', batch_size='3', train_image_size='80',
        seed='1', cpu_threads='1')
    assert {name: flags[name] for name in wanted} == wanted
  assert evaluation[2]['eval_image_size'] == '80'
  assert evaluation[2]['batch_size'] == '3'
  assert '$ python train_image_classifier.py --train_dir=my model' in out


@pytest.mark.parametrize('version, network', [
    ('1.0', 'mobilenet_v1'), ('0.75', 'mobilenet_v1_075'),
    ('0.50', 'mobilenet_v1_050'), ('0.25', 'mobilenet_v1_025')])
def test_export_of_each_width(python, version, network):
  output = str(python.parent / 'out')
  status, out, err = _run(
      python, 'export_mobilenet.sh', version, '160', OUTPUT_DIR=output,
      TF_SLIM_CHECKPOINTS='my checkpoints')
  assert (status, err) == (0, '')
  fetch, export = _programs(python)
  name = 'mobilenet_v1_%s_160_2017_06_14' % version
  assert fetch[1] == [name, 'my checkpoints']
  assert export == ('export_inference_graph.py', [], dict(
      model_name=network, image_size='160', dataset_name='imagenet',
      output_file=output + '.unfinished/unfrozen_graph.pb',
      checkpoint_path='fetched/' + name, output_dir=output + '.unfinished'))
  assert sorted(os.listdir(output)) == [
      'frozen_graph.pb', 'frozen_inference_graph.pb']
  assert 'out has\nfrozen_graph.pb' in out


def test_export_in_8_bits_with_images(python):
  status, _, err = _run(python, 'export_mobilenet.sh', '1.0', '224',
                        OUTPUT_DIR='out/', DATA_DIR='imagenet')
  assert (status, err) == (0, '')
  flags = _programs(python)[1][2]
  assert (flags['dataset_dir'], flags['int8']) == ('imagenet', '')
  assert flags['output_dir'] == 'out.unfinished'


_USAGE = 'Type: %s <1.0|0.75|0.50|0.25> <224|192|160|128> [CHECKPOINT]' % (
    _SCRIPTS / 'export_mobilenet.sh')


@pytest.mark.parametrize('words, variables, message', [
    ([], {},
     "the version '' is not one of 1.0, 0.75, 0.50, 0.25.\n" + _USAGE),
    (['0.5', '224'], {},
     "the version '0.5' is not one of 1.0, 0.75, 0.50, 0.25.\n" + _USAGE),
    (['1.0'], {}, "the size '' is not one of 224, 192, 160, 128.\n" + _USAGE),
    (['1.0', '96'], {}, "the size '96' is not one of 224, 192, 160, 128.\n" +
     _USAGE),
    (['1.0', '224', 'a', 'b'], {}, "unexpected argument 'b'.\n" + _USAGE),
    (['1.0', '224', 'no.ckpt'], {}, 'there is no checkpoint no.ckpt.'),
    (['1.0', '224'], {'OUTPUT_DIR': '.'},
     '. exists already.\nRemove it, or type: OUTPUT_DIR=DIRECTORY '
     '%s 1.0 224' % (_SCRIPTS / 'export_mobilenet.sh')),
    (['1.0', '224'], {'OUTPUT_DIR': 'new', 'PICTURE': 'no.jpg'},
     'there is no image PICTURE=no.jpg.')])
def test_export_refuses(python, words, variables, message):
  status, out, err = _run(
      python, 'export_mobilenet.sh', *words,
      **dict({'OUTPUT_DIR': 'new'}, **variables))
  assert (status, out) == (2, '')
  assert err.startswith('export_mobilenet.sh: ' + message)
  assert not (python.parent / 'notes').exists()


@pytest.mark.parametrize('script', _RECIPES)
@pytest.mark.parametrize('words, variables, message', [
    ([], {'STEPS': 'ten'}, 'STEPS=ten must be an integer, at least 1.\n'
     'Type, for example: STEPS=100 {path}\n'),
    ([], {'BATCH_SIZE': '0'}, 'BATCH_SIZE=0 must be an integer, at least 1.\n'
     'Type, for example: BATCH_SIZE=100 {path}\n'),
    ([], {'IMAGE_SIZE': '-1'}, 'IMAGE_SIZE=-1 must be an integer, at least 1.\n'
     'Type, for example: IMAGE_SIZE=100 {path}\n'),
    ([], {'CHECKPOINT': 'no.ckpt'}, 'there is no checkpoint no.ckpt.\n'
     'Give a .ckpt (of three files: the part before .index), its directory,\n'
     'or a .tar.gz; without CHECKPOINT it is downloaded.\n'),
    (['--dataset_dir=here'], {}, '--dataset_dir=here is set by a variable.\n'
     'Type: DATA_DIR=DIRECTORY {path}\n')])
def test_recipe_refuses(python, script, words, variables, message):
  status, out, err = _run(python, script, *words, **variables)
  assert (status, out) == (2, '')
  assert err == script + ': ' + message.format(path=_SCRIPTS / script)
  assert not (python.parent / 'notes').exists()


def test_another_dataset_is_refused(python):
  status, _, err = _run(
      python, 'train_lenet_on_mnist.sh', '--dataset_name=cifar10')
  assert status == 2
  assert err == ('train_lenet_on_mnist.sh: --dataset_name=cifar10: this recipe '
                 'is for mnist.\n')


def test_a_python_without_tensorflow_is_refused(tmp_path):
  python = _write_python(tmp_path, status=1)
  status, _, err = _run(python, 'train_lenet_on_mnist.sh')
  assert status == 2
  assert err.splitlines() == [
      'train_lenet_on_mnist.sh: %s does not run, or has no TensorFlow.' % (
          python),
      'Type make env in %s, or PYTHON=/path/to/python %s' % (
          _SCRIPTS.parent, _SCRIPTS / 'train_lenet_on_mnist.sh')]


@pytest.mark.parametrize('script', _RECIPES + [
    'finetune_on_image_folder.sh', 'export_mobilenet.sh'])
def test_help(python, script):
  status, out, err = _run(python, script, '--help')
  assert (status, err) == (0, '')
  assert 'scripts/' + script in out
  assert '  CHECKPOINT ' in out and 'shellcheck' not in out
  assert not (python.parent / 'notes').exists()


def test_a_program_that_fails_ends_the_recipe(python):
  python.write_text(python.read_text() + """case $1 in
  */train_*) exit 3 ;;
esac
""")
  assert _run(python, 'train_lenet_on_mnist.sh')[0] == 3
  assert len(_programs(python)) == 2


@pytest.mark.skipif(not shutil.which('shellcheck'), reason='no shellcheck')
def test_shellcheck():
  scripts = sorted(str(path) for path in _SCRIPTS.glob('*.sh'))
  done = subprocess.run(['shellcheck'] + scripts, stdout=subprocess.PIPE,
                        universal_newlines=True)
  assert done.returncode == 0, done.stdout
