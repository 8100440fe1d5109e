"""The page of reference says what the code does: every prompt, every number, the diagram."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backstay.contributing import Config, read_configuration
from backstay.contributing.configuration import Agreement, Label
from backstay.contributing.diagram import diagram
from backstay.contributing.prompts import Wish, read_prompt


@pytest.fixture
def page(root: Path) -> str:
    """The page of reference."""
    return (root / 'docs' / 'reference' / 'contributing.md').read_text()


def options(config: Any, prefix: str = '') -> dict[str, Any]:
    """Every option with its default, by its name in the file."""
    found = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found |= options(value, f'{prefix}{field.name}.')
        else:
            found[f'{prefix}{field.name}'] = value
    return found


def shown(value: Any) -> str:
    """How the page writes a default."""
    if isinstance(value, tuple):
        names = [each.name if isinstance(each, Label) else each for each in value]
        return ', '.join(f'`{name}`' for name in names) or 'none'
    return (
        f'`{str(value).lower() if isinstance(value, bool) else value}`' if value != '' else 'none'
    )


def test_lists_every_option_with_its_default(page: str) -> None:
    agreement = Agreement(version='1.0.0', link='https://acme.example')
    defaults = options(Config(agreement=agreement))
    rows = dict(re.findall(r'^\| `([a-z_.]+)` \| ([^|]+?) \|', page, re.MULTILINE))
    told = {
        'agreement.version': 'required',
        'agreement.link': 'required',
        'agreement.repository': 'the repository itself',
    }

    assert rows == {name: told.get(name) or shown(value) for name, value in defaults.items()}


def test_lists_every_prompt_as_it_is_read(page: str) -> None:
    table = page.partition('## Prompts')[2].partition('##')[0]
    cells = re.findall(r'^\| (`.+?) \|', table, re.MULTILINE)
    prompts = [read_prompt(text) for cell in cells for text in re.findall(r'`([^`]+)`', cell)]

    assert None not in prompts
    assert {prompt.wish for prompt in prompts if prompt} == set(Wish)


def test_shows_the_diagram_that_the_code_draws(page: str) -> None:
    (drawn,) = re.findall(r'^```mermaid\n(.*?)^```', page, re.DOTALL | re.MULTILINE)

    assert drawn == diagram()


def test_the_guide_shows_the_workflow_of_the_template(root: Path) -> None:
    guide = (root / 'docs' / 'how-to' / 'contributing.md').read_text()
    first = re.findall(r'^```yaml\n(.*?)^```', guide, re.DOTALL | re.MULTILINE)[0]
    template = root / 'src/backstay/template/service/.github/workflows/contributing.yaml.jinja'

    ours = yaml.safe_load(template.read_text().replace('[= platform =]', 'OWNER/backstay'))

    assert yaml.safe_load(first) == ours


def test_the_guide_shows_a_configuration_that_is_taken(root: Path) -> None:
    guide = (root / 'docs' / 'how-to' / 'contributing.md').read_text()

    for block in re.findall(r'^```toml\n(.*?)^```', guide, re.DOTALL | re.MULTILINE):
        assert read_configuration(block).agreement
