"""A sheet of pictures with captions, as one PNG file."""
from PIL import Image, ImageDraw

from training import output_files

_COLUMNS = 5
_SIDE = 140
_LINE = 14
_GAP = 8


def draw(pictures, sheet):
  """Draws pictures in rows, each with the lines of its caption below.

  Args:
    pictures: list of (file, lines). A file, a path or an open one, that is no
      picture leaves an empty frame.
    sheet: path of the PNG file to write.
  """
  columns = min(_COLUMNS, len(pictures))
  rows = -(-len(pictures) // columns)
  cell_height = _SIDE + _LINE * max(len(lines) for _, lines in pictures) + _GAP
  canvas = Image.new(
      'RGB', (columns * (_SIDE + _GAP) + _GAP, rows * cell_height + _GAP),
      'white')
  pen = ImageDraw.Draw(canvas)
  for number, (file, lines) in enumerate(pictures):
    left = _GAP + number % columns * (_SIDE + _GAP)
    top = _GAP + number // columns * cell_height
    canvas.paste(_thumbnail(file), (left, top))
    pen.rectangle([left, top, left + _SIDE - 1, top + _SIDE - 1],
                  outline='lightgrey')
    for place, line in enumerate(lines):
      pen.text((left, top + _SIDE + 2 + place * _LINE), line, fill='black')
  with output_files.publish(sheet, 'wb') as output:
    canvas.save(output, format='png')


def _thumbnail(file):
  """Returns the picture on a white square, enlarged if it is small."""
  square = Image.new('RGB', (_SIDE, _SIDE), 'white')
  try:
    picture = Image.open(file).convert('RGB')
  except OSError:
    return square
  scale = _SIDE / max(picture.size)
  size = tuple(max(1, round(side * scale)) for side in picture.size)
  # Small pictures such as digits keep their pixels visible.
  method = Image.NEAREST if scale > 1 else Image.BILINEAR
  picture = picture.resize(size, method)
  square.paste(
      picture, tuple((_SIDE - side) // 2 for side in picture.size))
  return square
