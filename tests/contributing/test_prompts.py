"""Reading prompts: tolerant of how people write, and deaf to everything else."""

import doctest
from importlib import import_module

import pytest

from backstay.contributing.prompts import Wish, read_prompt


@pytest.mark.parametrize(
    'text',
    [
        'assign me',
        '  Assign   Me!! ',
        'ASSIGN ME.',
        '@backstay assign me',
        '@Backstay: assign me',
        'assign me @backstay',
        'assign me 🚀',
        ':rocket: assign me :+1:',
        '**assign me**',
        '/assign me',
        '/assign',
        '@backstay /assign-me',
        'please assign me',
        'Assign me, please!',
        'assign me\n\nI have done this before.',
        '\n\nassign me\r\n> said Bob',
        'as\u200bsign me\u202c',
        '<!-- write below -->\nassign me',
        '<!-- a\nb -->assign me',
        '- assign me',
        '\uff41ssign me',
    ],
)
def test_reads_a_wish_however_it_is_written(text: str) -> None:
    prompt = read_prompt(text, {'backstay'})

    assert prompt is not None
    assert prompt.wish is Wish.ASSIGN


@pytest.mark.parametrize(
    'text',
    [
        '> assign me',
        '```\nassign me\n```',
        '~~~\nassign me',
        '    assign me',
        '\tassign me',
        'Could you assign me?',
        "don't assign me",
        'I would like to work on this.\nassign me',
        'assign me to the house',
        'assign me 请',
        'assign',
        'unassign',
        '@bob assign me',
        'link pr',
        'link pr twelve',
        'link pr 12 13 14',
        'link pr ../../etc#1',
        'link pr 1234567890123',
        '`assign me`',
        '``assign me``',
        '~~assign me~~',
        '~assign me~',
        '"assign me"',
        "'assign me'",
        '“assign me”',
        '\u2018assign me\u2019',
        '«assign me»',
        '„assign me“',
        '\uff02assign me\uff02',
        '<!-- assign me -->',
        '<!--\nassign me\n-->',
        '<!-- assign me',
        '<!-- not now\n\nassign me',
        '<del>assign me</del>',
        '<s>assign me',
        '<code>assign me</code>',
        '[//]: # (assign me)',
        '[assign]: me',
        '  > assign me',
        '- > assign me',
        '  ```\nassign me',
        'Like this: `assign me`',
        'link pr `12`',
        '~~link pr #12~~',
        'x' * 60_000,
        'assign me ' + '!' * 60_000,
    ],
)
def test_reads_no_wish_out_of_anything_else(text: str) -> None:
    assert read_prompt(text, {'backstay'}) is None


@pytest.mark.parametrize('wish', [wish for wish in Wish if wish not in {Wish.LINK, Wish.UNLINK}])
def test_reads_every_wish(wish: Wish) -> None:
    prompt = read_prompt(f'/{wish.value.upper()}!')

    assert prompt is not None
    assert prompt.wish is wish


@pytest.mark.parametrize(
    'module',
    ['agreement', 'configuration', 'inactivity', 'prompts', 'replies'],
)
def test_the_examples_in_the_code_are_true(module: str) -> None:
    tested = doctest.testmod(import_module(f'backstay.contributing.{module}'))

    assert tested.attempted
    assert not tested.failed
