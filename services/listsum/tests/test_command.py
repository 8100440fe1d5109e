"""`backstay sum`."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command('sum', *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize(('target', 'answer'), [('10', 'true\n'), ('5', 'false\n')])
def test_it_prints_the_answer(target: str, answer: str) -> None:
    assert run('--a', '3,4,6', '--b', '3,4,6', '--target', target) == answer


def test_a_list_may_be_empty() -> None:
    assert run('--a', '', '--b', '1', '--target', '1') == 'false\n'


def test_lists_come_from_files_and_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = tmp_path / 'numbers.txt'
    numbers.write_text('3, 4\n6\n')
    monkeypatch.setattr('sys.stdin', io.StringIO('1 7\n'))
    assert run('--a', f'@{numbers}', '--b', '-', '--target', '13') == 'true\n'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('3,x', '3', '1'), '--a, number 2: Input should be a valid integer'),
        (('3', '-3', '1'), '--b, number 1: Input should be greater than 0'),
        (('3', '3', '1.5'), '--target: Input should be a valid integer'),
        (('9' * 5000, '3', '1'), '--a, number 1: Unable to parse input string as an integer'),
        (('@missing.txt', '3', '1'), 'missing.txt: No such file'),
        ((','.join('x' * 11), '3', '1'), 'and more'),
    ],
)
def test_bad_input_is_told_with_exit_code_2(arguments: tuple[str, str, str], message: str) -> None:
    list_a, list_b, target = arguments
    with pytest.raises(CommandError) as caught:
        run(f'--a={list_a}', f'--b={list_b}', f'--target={target}')
    assert message in str(caught.value)
    assert caught.value.returncode == 2


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    binary = tmp_path / 'binary'
    binary.write_bytes(b'\xff\xfe')
    with pytest.raises(CommandError, match='not a text'):
        run('--a', f'@{binary}', '--b', '1', '--target', '1')
