"""What the code does not do: each weakness of this kind begins with a call that is not there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Programs for developers and pipelines: they start others, and answer no request.
COMMANDS = ('pipelines', 'template', 'testing')
#: Where chance decides when to try again, or what to test; nothing there is a secret.
DICE = {'operations/releasing.py', 'tasks/running.py'}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module that may run on a site or for it, by its path below the package or checkout."""
    found = {}
    for folder, base in ((ROOT / 'src/backstay', ROOT / 'src/backstay'), (ROOT / 'services', ROOT)):
        for file in folder.rglob('*.py'):
            if not {'tests', 'service'} & {*file.relative_to(base).parts}:
                found[file.relative_to(base).as_posix()] = ast.parse(file.read_text())
    assert len(found) > 200
    return found


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Each call: its module, the dotted name that is called, and the call."""
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield module, ast.unparse(node.func), node


def imports() -> Iterator[tuple[str, str]]:
    """Each name that a module imports, with its dots."""
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((module, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield from ((module, f'{node.module}.{alias.name}') for alias in node.names)


def calling(pattern: str) -> set[str]:
    """Where something of this name is called."""
    return {f'{module}: {name}' for module, name, _ in calls() if re.fullmatch(pattern, name)}


def importing(pattern: str) -> set[str]:
    """The modules that import something whose name begins like this."""
    return {module for module, name in imports() if re.match(rf'({pattern})(\.|$)', name)}


def is_a_command(module: str) -> bool:
    """Whether it belongs to the programs for developers and pipelines."""
    return module.split('/')[0] in COMMANDS


def test_no_text_is_run_as_code() -> None:
    assert calling(r'eval|exec|compile|__import__|builtins\..*') == set()


def test_no_shell_is_started() -> None:
    assert calling(r'os\.(system|popen|exec\w*|spawn\w*)|subprocess\.get\w*output') == {
        'operations/management/commands/run.py: os.execv'  # itself again, on a developer's machine
    }
    for module, name, call in calls():
        if name.startswith('subprocess.'):
            assert 'shell' not in {each.arg for each in call.keywords}, module


def test_requests_start_no_program() -> None:
    assert {each for each in importing('subprocess|pty') if not is_a_command(each)} == {
        'operations/reloading.py'  # part of `backstay run`
    }


def test_nothing_is_read_that_can_make_objects() -> None:
    assert importing('pickle|marshal|shelve|dill|cloudpickle|jsonpickle') == set()
    assert calling(r'yaml\.(load|unsafe_load|full_load)(_all)?') == set()


def test_no_xml_is_read() -> None:
    assert importing(r'xml|lxml|defusedxml|xmltodict') == set()


def test_no_archive_is_unpacked_for_a_request() -> None:
    found = importing('zipfile|tarfile|gzip|zlib|shutil.unpack_archive')
    # A cursor is sealed by this site, and is unpacked only when its seal is whole.
    assert {each for each in found if not is_a_command(each)} == {'resources/query/cursor.py'}


def test_no_text_is_marked_as_safe_html() -> None:
    assert (
        importing(r'django\.utils\.safestring|django\.utils\.html\.(mark_safe|html_safe)') == set()
    )
    for page in [*ROOT.glob('src/backstay/**/*.html'), *ROOT.glob('services/**/*.html')]:
        assert not re.search(r'\|\s*safe\b|autoescape off', page.read_text()), page


def test_no_template_is_made_of_a_text() -> None:
    assert calling(r'(\w+\.)*(Template|from_string)') == set()


def test_scripts_of_ours_write_no_markup() -> None:
    scripts = [
        file
        for file in [*ROOT.glob('src/backstay/**/*.js'), *ROOT.glob('services/**/*.js')]
        if '.min.' not in file.name
    ]
    unsafe = r'innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|postMessage'
    kept = r'localStorage|sessionStorage|indexedDB|document\.cookie'
    assert scripts
    assert [file.name for file in scripts if re.search(f'{unsafe}|{kept}', file.read_text())] == []


def test_secrets_are_no_pseudo_random_numbers() -> None:
    found = {each for each in importing('random|numpy.random') if not is_a_command(each)}
    assert found <= DICE
    assert importing('uuid.uuid1') == set()


def test_no_weak_algorithm_is_used() -> None:
    weak = r'\b(md5|sha1|SHA1|MD5|DES|TripleDES|ARC4|RC4|Blowfish|ECB|PKCS1v15|HS1)\b'
    found = {
        f'{module}: {name}'
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if re.search(weak, name := getattr(node, 'attr', getattr(node, 'id', '')) or '')
    }
    # The lists of breached passwords that others publish are sorted by it; it protects nothing.
    assert found == {'identity/breached_passwords.py: sha1'}


def test_certificates_are_always_checked() -> None:
    unchecked = r'(\w+\.)*(_create_unverified_context|disable_warnings|_create_stdlib_context)'
    assert calling(unchecked) == set()
    for module, name, call in calls():
        for each in call.keywords:
            if each.arg in ('verify', 'check_hostname', 'verify_ssl'):
                assert ast.unparse(each.value) != 'False', f'{module}: {name}'


def test_no_text_of_a_request_is_a_format() -> None:
    """A format is written in the code: a constant, or a name in capitals that holds some."""
    for module, name, _ in calls():
        if found := re.fullmatch(r'(.+)\.(format|format_map)', name):
            shape = found[1]
            is_written = shape[0] in '\'"' or re.match(r'_?[A-Z][A-Z_]+\b', shape)
            assert is_written or (module, shape) in FORMATS, f'{module}: {name}'


#: Formats that come as arguments, each from constants of the same module.
FORMATS = {
    ('engine/comparisons.py', 'template'),
    ('engine/moments.py', 'once'),
    ('resources/write/bulk.py', 'self.pointer'),
    ('seeding/values.py', 'form'),
}


def test_secrets_are_compared_in_constant_time() -> None:
    for module in ('secret_keys.py', 'identity/keys.py'):
        assert 'hmac.compare_digest' in {name for at, name, _ in calls() if at == module}, module


@pytest.mark.parametrize('name', ['SECRET_KEY', 'password', 'secret'])
def test_no_secret_stands_in_the_code(name: str) -> None:
    """No assignment of a text to a name that says it is one."""
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                target = ast.unparse(node.targets[0]).rpartition('.')[2]
                is_text = isinstance(node.value.value, str) and len(node.value.value) > 7
                assert not (target.lower() == name.lower() and is_text), module
