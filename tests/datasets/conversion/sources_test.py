"""A table of archives, layouts and lists: the classes and counts of each."""
import collections
import os

import pytest

from datasets.conversion import downloads
from datasets.conversion import image_lists
from tests.datasets.conversion import packed
from tests.datasets.conversion import raw_files
from tests.datasets.imagenet_tools import imagenet_files

_CATS, _DOGS = '猫', '小狗'

_write = imagenet_files.write


def _files(paths):
  """Returns a dict of path to a content; an image's begins as a JPEG's."""
  return {path: (b'\xff\xd8\xff' if path.endswith('g') else b'') +
                path.encode('utf-8') for path in paths}


def _classes(above, cats, dogs, nested=''):
  return ['%s%s/%s%d.jpg' % (above, name, nested, k)
          for name, count in ((_CATS, cats), (_DOGS, dogs))
          for k in range(count)]


def _split(train, validation, test):
  """Returns the paths of three splits, called so; '' for none."""
  return _classes(train + '/', 3, 2) + (
      _classes(validation + '/', 1, 2) if validation else []) + (
          _classes(test + '/', 2, 1) if test else [])


_TRAIN, _VALIDATION, _TEST = [2, 3], [2, 1], [1, 2]  # Dogs, cats.
# Paths, and the numbers of dogs and of cats in each split.
_LAYOUTS = {
    'classes': (_classes('', 3, 2), {'train': _TRAIN}),
    'one above': (_classes('photos/', 3, 2), {'train': _TRAIN}),
    'nested': (_classes('', 3, 2, 'a/b/'), {'train': _TRAIN}),
    'both': (_classes('', 3, 2, 'deep/') + _classes('', 1, 1),
             {'train': [3, 4]}),
    'slim': (_split('train', 'validation', 'test'), {
        'train': _TRAIN, 'validation': _VALIDATION, 'test': _TEST}),
    'Roboflow': (_split('train', 'valid', 'test') + ['README.roboflow.txt'], {
        'train': _TRAIN, 'validation': _VALIDATION, 'test': _TEST}),
    'words': (_split('training', 'validation', ''), {
        'train': _TRAIN, 'validation': _VALIDATION}),
    'capitals': (_split('top/Train', 'top/Val', ''), {
        'train': _TRAIN, 'validation': _VALIDATION}),
    'Kaggle': (_split('Training', '', 'Testing'), {
        'train': _TRAIN, 'test': _TEST}),
    'flat test': (_split('TRAIN', 'VAL', '') + ['TEST/1.jpg', 'TEST/2.jpg'], {
        'train': _TRAIN, 'validation': _VALIDATION}),
}


def _counts(listing):
  """Returns a dict of split to number of images of each class."""
  return {split: [collections.Counter(
      name for image in images for name in image.class_names)[name]
                  for name in listing.class_names]
          for split, images in listing.splits.items()}


def _images(listing):
  return {split: [(image.name, image.label) for image in images]
          for split, images in listing.splits.items()}


def _from_archive(tmp_path, name, content):
  """Returns the Listing of an archive."""
  path = raw_files.write(tmp_path, name, content)
  return image_lists.from_directory(downloads.obtain(
      path, None, str(tmp_path / '.downloads'), str(tmp_path / '.hidden')),
                                    path)


@pytest.mark.parametrize('packer', packed.PACKERS)
@pytest.mark.parametrize('layout', _LAYOUTS)
def test_archive_is_read_as_the_directory(tmp_path, packer, layout):
  paths, expected = _LAYOUTS[layout]
  plain = image_lists.from_directory(_write(tmp_path / 'in', _files(paths)))
  assert plain.class_names == [_DOGS, _CATS]
  assert _counts(plain) == expected
  found = _from_archive(tmp_path, packer, packed.PACKERS[packer](
      _files(paths)))
  assert found.class_names == plain.class_names
  assert _images(found) == _images(plain)


def test_code_page_of_dos(tmp_path, capsys):
  files = _files(['Äpfel/1.jpg', 'Birnen/1.jpg', 'Nüsse/é.jpg'])
  found = _from_archive(tmp_path, 'a.zip', packed.zipped(files, 'cp437'))
  assert found.class_names == ['Birnen', 'Nüsse', 'Äpfel']
  assert 'a.zip does not say how its names are encoded: they are read as c' in (
      capsys.readouterr().out)


@pytest.mark.parametrize('paths,fault', [
    (['photos/a/1.jpg', 'photos/b/'], 'directory @/photos/b holds no images'),
    (['a/1.jpg', 'b/readme.txt'], '@: no file in b is an image. Expected: one '),
    (['a/1.jpg'], r'@: holds 1 classes; 2 or more are needed.* Seen: a/ \(dire'),
    (['1.jpg', '2.jpg'], '@: holds 0 classes; .* Seen: 1.jpg, 2.jpg$'),
    (['a.zip'], '@: holds 0 classes; .* Seen: a.zip$'),
    (['food/images/%s/1.jpg' % name for name in 'abc'] +
     ['food/meta/train.txt', 'food/meta/train.json'],
     r'@/food: its directories are parts of a dataset, not classes: (unpack it '
     r'and give its food/images|give @/food/images) if .* Expected: one direc.*'
     r'Seen: images/ \(directories: 3, files: 0\), meta/ \(directories: 0, '),
    (['images/1.jpg', 'annotations/trimaps/1.png'],
     'parts of a dataset, not classes: give a list'),
    (['cat/train/1.jpg', 'cat/val/2.jpg', 'dog/train/1.jpg', 'dog/val/2.jpg'],
     '@: the splits are in the classes, .*: move cat/NAME to NAME/cat'),
    (['seg_train/seg_train/a/1.jpg', 'seg_test/seg_test/a/1.jpg',
      'seg_pred/1.jpg'], r'look like splits \(seg_test, seg_train\), but not '),
    (['train/a/1.jpg', 'val/a/1.jpg', 'extra/1.jpg'],
     r'look like splits \(train, val\), but not all are called train, valid'),
    (['valid/a/1.jpg', 'test/a/1.jpg'], 'there is no train/ beside test, valid'),
    (['train/1.jpg', 'val/a/1.jpg'], 'train/ holds no directories of classes'),
    (['train/a/1.jpg', 'val/a/1.jpg', 'valid/a/1.jpg'],
     '@ holds both val and valid: keep one'),
    (['train/a/1.jpg', 'train/b/1.jpg', 'Val/c/1.jpg'],
     '@: validation has the classes c, which are not in train')])
@pytest.mark.parametrize('form', ['directory', 'a.zip'])
def test_other_layouts_are_named(tmp_path, paths, fault, form):
  files = _files(paths)
  source = str(tmp_path / form)
  with pytest.raises(ValueError, match=fault.replace('@', source)) as error:
    if form == 'directory':
      os.makedirs(source)
      for path in [path for path in paths if path.endswith('/')]:
        os.makedirs(os.path.join(source, path))
        del files[path]
      image_lists.from_directory(_write(source, files))
    else:
      _from_archive(tmp_path, form, packed.zipped(files))
  assert '.hidden' not in str(error.value)
  assert '\n' not in str(error.value)


def test_classes_that_are_called_like_splits_or_parts(tmp_path):
  listing = image_lists.from_directory(_write(tmp_path, _files(
      ['train/1.jpg', 'bus/1.jpg', 'images/1.jpg', 'test/deep/1.jpg'])))
  assert listing.class_names == ['bus', 'images', 'test', 'train']


def test_links_that_lead_back(tmp_path):
  _write(tmp_path, _files(['a/1.jpg', 'a/deep/2.jpg', 'b/1.jpg']))
  os.symlink('loop.jpg', str(tmp_path / 'a' / 'loop.jpg'))
  os.symlink('..', str(tmp_path / 'a' / 'deep' / 'up'))
  listing = image_lists.from_directory(str(tmp_path))
  assert [image.name for image in listing.splits['train']] == [
      'a/1.jpg', 'a/deep/2.jpg', 'a/loop.jpg', 'b/1.jpg']
  assert listing.skipped == {'links to a directory above': 1}


def test_what_is_left_out_is_counted_by_file(tmp_path, capsys):
  listing = image_lists.from_directory(_write(tmp_path, _files([
      'train/a/1.jpg', 'train/a/@eaDir/1.jpg/small.jpg', 'train/b/1.jpg',
      'train/a/.thumbs/1.jpg', 'train/a/.thumbs/2.jpg', 'train/.x', 'test/1.jpg',
      'test/2.jpg', 'notes.txt', '__MACOSX/train/a/._1.jpg'])))
  assert listing.skipped == {
      'in @eaDir, a directory of the system': 1, 'in hidden directories': 2,
      'in __MACOSX, a directory of the system': 1, 'hidden': 1,
      'outside the class directories of test': 2,
      'outside the class directories': 1}
  assert _counts(listing) == {'train': [1, 1]}
  assert 'test/ holds no directories of classes: it is left out' in (
      capsys.readouterr().out)


def test_two_forms_of_a_letter_are_one_class(tmp_path, capsys):
  listing = image_lists.from_directory(_write(tmp_path, _files([
      'train/\xc4pfel/1.jpg', 'train/A\u0308pfel/2.jpg', 'train/b/1.jpg',
      'val/A\u0308pfel/1.jpg', 'val/b/1.jpg'])))
  assert listing.class_names == ['b', '\xc4pfel']
  assert _counts(listing) == {'train': [1, 2], 'validation': [1, 1]}
  assert "'A\\u0308pfel' and '\\xc4pfel' are one class" in (
      capsys.readouterr().out)


def test_numbers_that_are_directories_stay_apart(tmp_path):
  assert image_lists.from_directory(_write(tmp_path, _files(
      ['1/1.jpg', '1.0/1.jpg']))).class_names == ['1', '1.0']


_ROWS = [('a.jpg', 'cat'), ('b/c.jpg', 'dog'), ('d.jpg', 'cat')]
_PLAIN = {'train': [2, 1]}


def _text(form, header=None, rows=_ROWS):
  return '\n'.join(([header] if header else []) + [form % row for row in rows])


_SPLIT_ROWS = [('a.jpg', 'cat', 'Train'), ('b/c.jpg', 'dog', ' training'),
               ('d.jpg', 'cat', 'valid'), ('e.jpg', 'dog', 'TEST')]
_SPLIT_COUNTS = {'train': [1, 1], 'validation': [1, 0], 'test': [0, 1]}


@pytest.mark.parametrize('suffix,text,expected', [
    ('.csv', _text('%s,%s'), _PLAIN),
    ('.csv', '\ufeff' + _text('%s, %s'), _PLAIN),
    ('.csv', _text(' %s ,  "%s" '), _PLAIN),
    ('.csv', _text('%s,%s').replace('\n', '\r\n'), _PLAIN),
    ('.csv', _text('%s,%s\n\n'), _PLAIN),
    ('.csv', _text('%s,%s').replace('b/c', 'b\\c'), _PLAIN),
] + [('.csv', _text('%s,%s', '%s,%s' % pair), _PLAIN) for pair in (
    ('path', 'label'), ('Filename', 'Class'), ('file', 'category'),
    (' image', ' label '), ('image path', 'class-name'), ('file_name', 'labels'))
] + [
    ('.csv', _text('7,%s,x,%s', ',filename,source,class'), _PLAIN),
    ('.csv', _text('%s,%s,%s', 'image,class,split', _SPLIT_ROWS), _SPLIT_COUNTS),
    ('.csv', _text('%s,%s,%s', 'path,label,Set', _SPLIT_ROWS), _SPLIT_COUNTS),
    ('.jsonl', _text('{"file_name": "%s", "class": "%s", "subset": "%s"}',
                     rows=_SPLIT_ROWS), _SPLIT_COUNTS),
    ('.jsonl', _text('{"path": "%s", "label": " %s"}'), _PLAIN),
    ('.jsonl', _text('{"path": "%s", "label": %s}', rows=[
        ('a.jpg', '1'), ('b/c.jpg', '1.0'), ('d.jpg', '"2"')]),
     {'train': [2, 1]}),
    ('.csv', _text('%s,%s', rows=[('a.jpg', '1'), ('b/c.jpg', '1.0'),
                                  ('d.jpg', '2.0')]), {'train': [2, 1]}),
    ('.csv', _text('%s,%s', rows=[('a.jpg', '1.0'), ('b/c.jpg', '2.0')]),
     {'train': [1, 1]}),
    ('.csv', _text('%s,%s', rows=[
        ('a.jpg', '\xc4'), ('b/c.jpg', 'A\u0308'), ('d.jpg', 'cat')]),
     {'train': [1, 2]})])
def test_lists(tmp_path, suffix, text, expected):
  _write(tmp_path, _files(['a.jpg', 'b/c.jpg', 'd.jpg', 'e.jpg']))
  path = raw_files.write(tmp_path, 'list' + suffix, text.encode())
  listing = image_lists.from_list(path)
  assert _counts(listing) == expected
  assert not any(name != name.strip() for name in listing.class_names)
  assert all(os.path.exists(image.path) for images in listing.splits.values()
             for image in images)


def test_a_path_in_the_other_form_of_its_letters(tmp_path):
  _write(tmp_path, _files(['A\u0308.jpg', 'b.jpg']))
  path = raw_files.write(tmp_path, 'a.csv', '\xc4.jpg,a\nb.jpg,b'.encode())
  assert [os.path.exists(image.path) for image in image_lists.from_list(
      path).splits['train']] == [True, True]


_LONG = b'a.jpg,"cat\n' + b''.join(b'%d.jpg,dog\n' % k for k in range(20000))


@pytest.mark.parametrize('suffix,content,fault', [
    ('.csv', _text('%s,%s').encode('utf-16'), 'line 1 is UTF-16 or not text'),
    ('.csv', _text('%s,%s').encode('utf-16-le'), 'line 1 is UTF-16 or not tex'),
    ('.jsonl', '{"path": "a"}'.encode('utf-16'), 'line 1 is UTF-16 or not tex'),
    ('.csv', b'b.jpg,dog\n' + _LONG, 'line 2 .* a quote without its pair'),
    ('.csv', b'b.jpg,dog\na.jpg,"cat\nc.jpg,dog\n', 'line 2 .* quote without '),
    ('.csv', b'a.jpg,"cat\nb.jpg,dog"\n', 'line 1: a field .* quote has no pair'),
    ('.csv', b'a.jpg,"cat"s\n', 'line 1 is no row of a csv file'),
    ('.csv', b'a.jpg;cat\nb.jpg;dog\n', 'is separated by semicolons: save it'),
    ('.csv', b'a.jpg\tcat\nb.jpg\tdog\n', 'is separated by tabs: save it with'),
    ('.csv', b'id,label\n1,cat\n', 'line 1 names no column for the path, which'),
    ('.csv', b'image,breed\na.jpg,cat\n', 'names no column for the label, whic'),
    ('.csv', b'path,label,split\na.jpg,cat,holdout\n',
     "line 2: the split is 'holdout'; it is one of: train, validation, test"),
    ('.csv', b'path,label,split\na.jpg,cat,\n', "line 2: the split is ''"),
    ('.csv', b'path,label,split\na.jpg,cat,test\n', 'no image of the split tra'),
    ('.csv', b'path,label,split\na.jpg,cat,train\nb.jpg,dog,test\n',
     'test has the classes dog, which are not in train'),
    ('.csv', b'a.jpg,cat\n./a.jpg,dog\n', 'line 2 names ./a.jpg again, after'),
    ('.csv', b'a.jpg,cat\n a.jpg,dog\n', 'line 2 names a.jpg again, after'),
    ('.csv', b'a.jpg,cat\nb.jpg,  \n', "line 2: the label is ''; the name of a"),
    ('.csv', b'a.jpg,cat\nb.jpg,d\xf6g\n', 'list.csv: the class name .* is not UTF'),
    ('.jsonl', b'{"path": "a.jpg", "label": NaN}', 'line 1: the label is nan; '),
    ('.jsonl', b'{"path": "a.jpg", "label": 1e999}', 'line 1: the label is inf'),
    ('.jsonl', b'{"path": "a.jpg"}', 'line 1 is not an object with path and l'),
    ('.jsonl', b'{"path": "a.jpg", "label": true}', 'line 1: the label is True'),
    ('.jsonl', b'{"path": "a\\u0000", "label": "b"}', 'line 1: path is .* no file'),
    ('.jsonl', b'{"path": "\\ud800", "label": "b"}', 'line 1: path is .* no file'),
    ('.jsonl', b'[' * 100000, 'line 1 is not an object with path and label'),
    ('.jsonl', b'{"path": "a.jpg", "label": "b", "split": "train"}\n'
     b'{"path": "c.jpg", "label": "b"}', 'line 2 has no split, unlike the line')])
def test_wrong_lists(tmp_path, suffix, content, fault):
  path = raw_files.write(tmp_path, 'list' + suffix, content)
  with pytest.raises(ValueError, match=fault) as error:
    image_lists.from_list(path)
  assert 'list' + suffix in str(error.value)
  assert '\n' not in str(error.value)
