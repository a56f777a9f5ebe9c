"""Contact sheets: images with captions in one PNG file."""
import importlib.util
import os

from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from slim_common import atomic_files

_COLUMNS = 5
# In pixels.
_SIZE, _LINE, _GAP, _FONT_SIZE = 140, 14, 8, 11
# Part of matplotlib, with many letters that are not Latin.
_FONT = os.path.join('mpl-data', 'fonts', 'ttf', 'DejaVuSans.ttf')


def draw(images, path):
  """Draws images in rows, each with its caption below.

  Args:
    images: list of (file, caption). The file is a path or an open file; one
      that is not an image leaves an empty frame. A long caption is wrapped.
    path: path of the PNG file to write.
  """
  font = _font()
  pen = ImageDraw.Draw(Image.new('RGB', (1, 1)))
  captions = [_wrap(_drawable(caption, font), lambda text: pen.textlength(
      text, font=font)) for _, caption in images]
  columns = min(_COLUMNS, len(images))
  rows = -(-len(images) // columns)
  cell_height = _SIZE + _LINE * max(map(len, captions)) + _GAP
  canvas = Image.new(
      'RGB', (columns * (_SIZE + _GAP) + _GAP, rows * cell_height + _GAP),
      'white')
  pen = ImageDraw.Draw(canvas)
  for number, ((file, _), caption) in enumerate(zip(images, captions)):
    left = _GAP + number % columns * (_SIZE + _GAP)
    top = _GAP + number // columns * cell_height
    canvas.paste(_thumbnail(file), (left, top))
    pen.rectangle([left, top, left + _SIZE - 1, top + _SIZE - 1],
                  outline='lightgray')
    for index, line in enumerate(caption):
      pen.text((left, top + _SIZE + 2 + index * _LINE), line, fill='black',
               font=font)
  with atomic_files.publish(path, 'wb') as output:
    canvas.save(output, format='png')


def _font():
  """Returns the font of matplotlib, or without it that of Pillow."""
  package = importlib.util.find_spec('matplotlib')
  directory = os.path.dirname(package.origin) if package else ''
  try:
    return ImageFont.truetype(os.path.join(directory, _FONT), _FONT_SIZE)
  except (ImportError, OSError):
    return ImageFont.load_default()


def _drawable(text, font):
  """Returns the text with question marks for what a bitmap font lacks."""
  if isinstance(font, ImageFont.FreeTypeFont):
    return text
  return text.encode('latin-1', 'replace').decode('latin-1')


def _wrap(text, width_of):
  """Returns the lines of a text, wrapped to the width of an image."""
  lines = []
  for part in text.split('\n'):
    lines.append('')
    for word in part.split():
      longer = (lines[-1] + ' ' + word).strip()
      if width_of(longer) > _SIZE and lines[-1]:
        lines.append(word)
      else:
        lines[-1] = longer
  return [_cut(line, width_of) for line in lines]


def _cut(line, width_of):
  if width_of(line) <= _SIZE:
    return line
  while width_of(line + '...') > _SIZE:
    line = line[:-1]
  return line + '...'


def _thumbnail(file):
  """Returns the image scaled to fill the width or height of a white square."""
  square = Image.new('RGB', (_SIZE, _SIZE), 'white')
  try:
    image = _to_8_bits(Image.open(file)).convert('RGB')
  except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
    return square
  scale = _SIZE / max(image.size)
  size = tuple(max(1, round(length * scale)) for length in image.size)
  # The pixels of small images such as digits stay visible.
  image = image.resize(size, Image.NEAREST if scale > 1 else Image.BILINEAR)
  square.paste(image, tuple((_SIZE - length) // 2 for length in size))
  return square


def _to_8_bits(image):
  """Returns an image of 16 bits scaled to 8, which Pillow would clip at 255."""
  if not image.mode.startswith('I'):
    return image
  return image.convert('I').point(lambda value: value * (1 / 256)).convert('L')
