"""`make workflows`: three tools, each of which finds what the others do not."""

from pathlib import Path
from types import ModuleType

import pytest

RIGHT = """
name: right
on: push
permissions: {}
concurrency: {group: right, cancel-in-progress: true}
jobs:
  a:
    name: A
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - run: echo "$NAME"
        env: {NAME: '${{ github.actor }}'}
"""
#: A mistake, and the tool that has to find it.
WRONG = {
    'actionlint': RIGHT.replace('github.actor', 'steps.nothing.outputs.here'),
    'zizmor': RIGHT.replace('echo "$NAME"', 'echo "${{ github.event.head_commit.message }}"'),
    'check-jsonschema': RIGHT.replace('timeout-minutes: 5', 'timeout-minutes: [5]'),
}


@pytest.fixture
def script(check_workflows: ModuleType) -> ModuleType:
    return check_workflows


def check(script: ModuleType, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    file = tmp_path / 'workflow.yaml'
    file.write_text(text)
    code = script.main([str(file)])
    told = capsys.readouterr().out
    assert code == int('\n' in told.replace('nothing found\n', '').replace('left out\n', ''))
    return told


def test_what_is_right_passes_all(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = check(script, tmp_path, RIGHT, capsys)
    assert [line.partition(':')[0] for line in told.splitlines()] == [*WRONG]
    assert all(line.endswith(('nothing found', 'left out')) for line in told.splitlines())


@pytest.mark.parametrize('tool', WRONG)
def test_each_finds_what_is_wrong(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], tool: str
) -> None:
    if script.TOOLS[tool]([]) is None:
        pytest.skip(f'{tool} is not installed: `make workflows` says so')
    assert f'{tool}:\n' in check(script, tmp_path, WRONG[tool], capsys)


def test_a_tool_that_is_not_there_is_named_and_the_others_run(
    script: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(script, 'ACTIONLINT', tmp_path)
    told = check(script, tmp_path, WRONG['zizmor'], capsys)
    assert 'actionlint: not installed, and left out\n' in told
    assert 'zizmor:\n' in told
