"""A sheet of pictures with captions, as one PNG file."""
import importlib.util
import os

from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from slim_common import atomic_files

_COLUMNS = 5
_SIDE = 140
_LINE = 14
_GAP = 8
_FONT_SIZE = 11
# Comes with matplotlib, and has most letters that are not Latin.
_FONT = os.path.join('mpl-data', 'fonts', 'ttf', 'DejaVuSans.ttf')


def draw(pictures, sheet):
  """Draws pictures in rows, each with its caption below.

  Args:
    pictures: list of (file, caption). A file, a path or an open one, that is
      no picture leaves an empty frame; a long caption takes several lines.
    sheet: path of the PNG file to write.
  """
  font = _font()
  pen = ImageDraw.Draw(Image.new('RGB', (1, 1)))
  captions = [_wrap(_drawable(caption, font), lambda text: pen.textlength(
      text, font=font)) for _, caption in pictures]
  columns = min(_COLUMNS, len(pictures))
  rows = -(-len(pictures) // columns)
  cell_height = _SIDE + _LINE * max(map(len, captions)) + _GAP
  canvas = Image.new(
      'RGB', (columns * (_SIDE + _GAP) + _GAP, rows * cell_height + _GAP),
      'white')
  pen = ImageDraw.Draw(canvas)
  for number, ((file, _), caption) in enumerate(zip(pictures, captions)):
    left = _GAP + number % columns * (_SIDE + _GAP)
    top = _GAP + number // columns * cell_height
    canvas.paste(_thumbnail(file), (left, top))
    pen.rectangle([left, top, left + _SIDE - 1, top + _SIDE - 1],
                  outline='lightgrey')
    for place, line in enumerate(caption):
      pen.text((left, top + _SIDE + 2 + place * _LINE), line, fill='black',
               font=font)
  with atomic_files.publish(sheet, 'wb') as output:
    canvas.save(output, format='png')


def _font():
  """Returns the font of matplotlib, or the one of Pillow without it."""
  package = importlib.util.find_spec('matplotlib')
  folder = os.path.dirname(package.origin) if package else ''
  try:
    return ImageFont.truetype(os.path.join(folder, _FONT), _FONT_SIZE)
  except (ImportError, OSError):
    return ImageFont.load_default()


def _drawable(text, font):
  """Returns the text with question marks for what a font of bitmaps lacks."""
  if isinstance(font, ImageFont.FreeTypeFont):
    return text
  return text.encode('latin-1', 'replace').decode('latin-1')


def _wrap(text, width_of):
  """Divides a text into lines that fit below a picture."""
  lines = ['']
  for word in text.split():
    longer = (lines[-1] + ' ' + word).strip()
    if width_of(longer) > _SIDE and lines[-1]:
      lines.append(word)
    else:
      lines[-1] = longer
  return [_cut(line, width_of) for line in lines]


def _cut(line, width_of):
  if width_of(line) <= _SIDE:
    return line
  while width_of(line + '...') > _SIDE:
    line = line[:-1]
  return line + '...'


def _thumbnail(file):
  """Returns the picture on a white square, enlarged if it is small."""
  square = Image.new('RGB', (_SIDE, _SIDE), 'white')
  try:
    picture = _eight_bits(Image.open(file)).convert('RGB')
  except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
    return square
  scale = _SIDE / max(picture.size)
  size = tuple(max(1, round(side * scale)) for side in picture.size)
  # Small pictures such as digits keep their pixels visible.
  method = Image.NEAREST if scale > 1 else Image.BILINEAR
  picture = picture.resize(size, method)
  square.paste(
      picture, tuple((_SIDE - side) // 2 for side in picture.size))
  return square


def _eight_bits(picture):
  """Returns a picture of 16 bits with 8, which Pillow would cut off at 255."""
  if not picture.mode.startswith('I'):
    return picture
  return picture.convert('I').point(lambda value: value * (1 / 256)).convert(
      'L')
