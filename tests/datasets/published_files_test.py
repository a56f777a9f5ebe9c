"""Tests that downloads are checked, by the figures that were published.

The figures are those of the checksum files of tensorflow-datasets 4.9.
"""
import importlib
import os

import pytest

_CONVERTERS = ('cifar10', 'fashion_mnist', 'flowers', 'mnist')
_FIGURES = {
    'cifar-10-binary.tar.gz': (
        170052171,
        'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd'),
    'flower_photos.tgz': (
        228813984,
        '4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c'),
    'mnist train-images-idx3-ubyte.gz': (
        9912422,
        '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'),
    'mnist train-labels-idx1-ubyte.gz': (
        28881,
        '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'),
    'mnist t10k-images-idx3-ubyte.gz': (
        1648877,
        '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'),
    'mnist t10k-labels-idx1-ubyte.gz': (
        4542,
        'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'),
    'fashion_mnist train-images-idx3-ubyte.gz': (
        26421880,
        '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84'),
    'fashion_mnist train-labels-idx1-ubyte.gz': (
        29515,
        'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845'),
    'fashion_mnist t10k-images-idx3-ubyte.gz': (
        4422102,
        '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073'),
    'fashion_mnist t10k-labels-idx1-ubyte.gz': (
        5148,
        '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5'),
    'train2014.zip': (
        13510573713,
        'ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775'),
    'val2014.zip': (
        6645013297,
        'fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0'),
    'annotations_trainval2014.zip': (
        252872794,
        '031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009'),
    'train2017.zip': (
        19336861798,
        '69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929'),
    'val2017.zip': (
        815585330,
        '4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05'),
    'annotations_trainval2017.zip': (
        252907541,
        '113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268'),
    'ILSVRC2012_img_train.tar': (
        147897477120,
        'b08200a27a8e34218a0e58fde36b0fe8f73bc377f4acea2d91602057c3ca45bb'),
    'ILSVRC2012_img_val.tar': (
        6744924160,
        'c7e06a6c0baccf06d8dbeb6577d71efff84673a5dbdd50633ab44f8ea0456ae0'),
}


def _converter(name):
  return importlib.import_module('datasets.download_and_convert_' + name)


def test_figures():
  found = {}
  for name in _CONVERTERS:
    for remote in _converter(name)._PUBLISHED.files:
      title = name + ' ' + remote.name if 'mnist' in name else remote.name
      found[title] = (remote.size, remote.sha256)
  for path, figures in _converter('visualwakewords')._PUBLISHED.items():
    found[os.path.basename(path)] = figures
  archives = importlib.import_module(
      'datasets.imagenet_tools.unpack_imagenet')._ARCHIVES
  for part in ('train', 'validation'):
    found[archives[part].name] = archives[part][1:]
  assert found == _FIGURES


@pytest.mark.parametrize('name', _CONVERTERS)
def test_downloads_have_several_mirrors_and_are_checked(
    tmp_path, monkeypatch, name):
  module = _converter(name)
  published = module._PUBLISHED
  assert len(published.mirrors) > 1
  for remote in published.files:
    (tmp_path / remote.name).write_bytes(b'something else')
  mirror = tmp_path.as_uri() + '/'
  first = published.files[0]
  for files, message in (
      (published.files, '14 bytes instead of %d' % first.size),
      ((first._replace(size=14),), 'SHA-256 [0-9a-f]* instead of ' +
       first.sha256)):
    monkeypatch.setattr(module, '_PUBLISHED', published._replace(
        mirrors=(mirror,), files=files))
    with pytest.raises(OSError, match=message):
      module.run(str(tmp_path / 'out'), num_workers=1)
    assert not (tmp_path / 'out' / 'dataset_info.json').exists()
