#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kcoloctl(8): that it is a man page, and says what the tool says.  KTAP.

usage: test_man.py TEST_REPLAY: a tool for which the module is not loaded
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
PAGE = HERE / 'kcoloctl.8'
NO_MODULE = 3
ENV = os.environ | {'KCOLO_REPLAY': str(HERE / 'recorded/no-module.nl')}
SUBCOMMAND = re.compile(r'^  ([a-z][a-z ]*[a-z]) {2,}[A-Z]', re.M)
OPTION = re.compile(r'^ +(?:-[a-zA-Z], )?--([a-z-]+)', re.M)

results = []


def ok(what, why):
    """Whether nothing is wrong: WHY says what is."""
    results.append(not why)
    print(f"{'not ok' if why else 'ok'} {len(results)} {what}")
    for line in str(why).splitlines() if why else ():
        print(f'# {line}')


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, check=False, **more)


def said_by(*argv):
    done = run(*argv, env=os.environ | {'MANWIDTH': '80', 'LC_ALL': 'C.UTF-8'})
    return done.stderr or (f'ended with {done.returncode}' if done.returncode else '')


def section(text, name):
    return text.split(f'\n.SH {name}\n')[1].split('\n.SH ')[0]


def plain(text):
    """Without the fonts and the escapes of troff."""
    return re.sub(r'\\f.|\\&', '', text).replace('\\-', '-').replace('\\e', '\\')


def calls(text):
    """The arguments of each kcoloctl in the examples."""
    for block in re.findall(r'\.EX\n(.*?)\n\.EE', text, re.S):
        for line in plain(block).replace('\\\n', ' ').splitlines():
            if not line.startswith(('# ', '      ')):
                continue
            line = re.sub(r'"\$\(kcoloctl .*?\)"', '1', line.removeprefix('# '))
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            tokens = list(lexer)
            if tokens[0] != 'kcoloctl':
                continue
            end = next((i for i, t in enumerate(tokens) if set(t) <= set('|&;<>()')),
                       len(tokens))
            yield tokens[1:end]


def main():
    tool = sys.argv[1]
    text = PAGE.read_text()
    print('KTAP version 1')
    ok('groff has no warning', said_by('groff', '-ww', '-t', '-man', '-Tutf8', '-z', PAGE))
    ok('man has no warning', said_by('man', '--warnings', '-l', PAGE))
    ok('apropos finds it', 'no name' if 'kcoloctl - ' not in run('lexgrog', PAGE).stdout else '')

    subcommands = SUBCOMMAND.findall(run(tool, '--help', env=ENV | {'KCOLO_REPLAY': '/dev/null'}).stdout)
    described = plain(section(text, 'SUBCOMMANDS'))
    examples = plain(section(text, 'EXAMPLES'))
    ok('there are subcommands', '' if len(subcommands) > 10 else subcommands)
    ok('each subcommand is described', '\n'.join(
        c for c in subcommands if not re.search(rf'^(\.B )?{c}( |$)', described, re.M)))
    headings = re.findall(r'^\.SS (.*)', examples, re.M)
    shown = {name for h in headings for name in h.split(', ')}
    # "session show" is "show".
    ok('each subcommand has an example', '\n'.join(
        c for c in subcommands if c not in shown and c.removeprefix('session ') not in shown))
    missing = []
    for command in subcommands:
        said = run(tool, *command.split(), '--help', env=ENV | {'KCOLO_REPLAY': '/dev/null'}).stdout
        missing += [f'{command} --{o}' for o in OPTION.findall(said) if f'--{o}' not in plain(text)]
    ok('each option is described', '\n'.join(missing))

    codes = re.search(r'enum exit_code {(.*?)}', (HERE / 'kcoloctl.h').read_text(), re.S)[1]
    numbers = re.findall(r'^\.B (\d+)$', section(text, 'EXIT STATUS'), re.M)
    ok('each exit code is described', '' if numbers == [
        str(i) for i in range(len(re.findall(r'^\tEXIT_', codes, re.M)))] else numbers)

    found = list(calls(section(text, 'EXAMPLES')))
    ok('there are examples', '' if len(found) > 15 else found)
    for argv in found:
        done = run(tool, *argv, env=ENV)
        ok('example: kcoloctl ' + ' '.join(argv),
           done.stderr if done.returncode != NO_MODULE else '')
    print(f'1..{len(results)}')
    print(f'# {results.count(False)} failed')
    return results.count(False) > 0


sys.exit(main())
