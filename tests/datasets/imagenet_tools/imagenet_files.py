"""Makes a tiny ImageNet, in the forms that its publisher gives it."""
import io
import os
import tarfile

from tests.datasets.conversion import odd_images

# The first three classes; labels 1, 2 and 3.
SYNSETS = ['n01440764', 'n01443537', 'n01484850']
NAMES = ['tench, Tinca tinca', 'goldfish, Carassius auratus',
         'great white shark, white shark, man-eater, man-eating shark, '
         'Carcharodon carcharias']
TRAIN = 'ILSVRC2012_img_train.tar'
VALIDATION = 'ILSVRC2012_img_val.tar'
BOXES = 'ILSVRC2012_bbox_train_v2.tar.gz'


def jpeg(seed):
  """Returns the bytes of a JPEG of 16 x 12 pixels."""
  return odd_images.encoded(
      odd_images.photo(width=16, height=12, seed=seed), 'JPEG')


def train_images(per_class=4):
  """Returns a dict of path, below the folder to train on, to content."""
  return {'%s/%s_%d.JPEG' % (synset, synset, number): jpeg(10 * k + number)
          for k, synset in enumerate(SYNSETS) for number in range(per_class)}


def validation_images(count=6):
  """Returns a dict of file name to content."""
  return {'ILSVRC2012_val_%08d.JPEG' % number: jpeg(100 + number)
          for number in range(1, count + 1)}


def write(folder, contents):
  """Writes files from a dict of path to content; returns the folder's path."""
  for name, content in contents.items():
    path = os.path.join(str(folder), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as target:
      target.write(content)
  return str(folder)


def tar(contents, mode='w'):
  """Returns the bytes of a tar archive of a dict of name to content."""
  target = io.BytesIO()
  with tarfile.open(fileobj=target, mode=mode) as archive:
    for name, content in contents.items():
      member = tarfile.TarInfo(name)
      member.size = len(content)
      archive.addfile(member, io.BytesIO(content))
  return target.getvalue()


def annotation(boxes, width=500, height=375, name='%s'):
  """Returns the XML of (xmin, ymin, xmax, ymax) in pixels."""
  return ('<annotation><folder>x</folder><filename>%s</filename><size><width>'
          '%s</width><height>%s</height><depth>3</depth></size>%s</annotation>'
          % (name, width, height, ''.join(
              '<object><name>x</name><bndbox><xmin>%s</xmin><ymin>%s</ymin>'
              '<xmax>%s</xmax><ymax>%s</ymax></bndbox></object>' % box
              for box in boxes))).encode()


def write_archives(folder):
  """Writes the three archives; returns the folder's path."""
  images = train_images()
  classes = {synset + '.tar': tar({
      os.path.basename(name): content for name, content in images.items()
      if name.startswith(synset)}) for synset in SYNSETS}
  boxes = {'%s/%s_0.xml' % (synset, synset): annotation(
      [(50, 75, 250, 150)]) for synset in SYNSETS}
  return write(folder, {TRAIN: tar(classes),
                        VALIDATION: tar(validation_images()),
                        BOXES: tar(boxes, 'w:gz')})
