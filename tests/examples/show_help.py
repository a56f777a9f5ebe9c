"""Shows the --help of programs, none of which may load TensorFlow.

  python -m tests.examples.show_help PROGRAM...

Its last line is a JSON dict of program to page.
"""
import contextlib
import io
import json
import runpy
import sys


def _page(program):
  sys.argv = [program, '--help']
  page = io.StringIO()
  with contextlib.redirect_stdout(page):
    try:
      runpy.run_path(program, run_name='__main__')
    except SystemExit as end:
      assert not end.code, '%s ends with %s' % (program, end.code)
  assert 'tensorflow' not in sys.modules, program
  return page.getvalue()


if __name__ == '__main__':
  print(json.dumps({program: _page(program) for program in sys.argv[1:]}))
