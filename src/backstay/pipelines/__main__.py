"""`python -m backstay.pipelines VERB`: the steps of the pipelines, by name.

Values that differ from run to run come in variables (`VERSION`, `IMAGE`, `ENVIRONMENT`, `NOTES`,
and GitHub's own), so that no shell reads them. A refusal is one line and exit code 1.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from backstay.pipelines import CONTRACT, coverage, images, upkeep
from backstay.pipelines.bill import bill_of
from backstay.pipelines.deployments import (
    ENVIRONMENTS,
    Deployment,
    previous,
    refuse_unless_ready,
)
from backstay.pipelines.errors import RefusedError
from backstay.pipelines.git import Repository
from backstay.pipelines.github import Deployments, GitHubApi, tell_outputs, variable
from backstay.pipelines.identity import write_identity
from backstay.pipelines.programs import run
from backstay.pipelines.releasing import Occasion, plan, stamp
from backstay.pipelines.versions import Version, parse

Arguments = argparse.Namespace


def main(arguments: Sequence[str]) -> int:
    """Run one step and return its exit code."""
    parsed, rest = _parser().parse_known_args(arguments)
    if rest and parsed.do is not _coverage:
        _parser().error(f'unknown: {" ".join(rest)}')
    parsed.rest = rest
    try:
        return int(parsed.do(parsed) or 0)
    except RefusedError as error:
        sys.stderr.write(f'refused: {error}\n')
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m backstay.pipelines', allow_abbrev=False)
    verbs = parser.add_subparsers(required=True, metavar='VERB')

    def verb(name: str, do: Callable[[Arguments], int | None]) -> argparse.ArgumentParser:
        says = do.__doc__
        added = verbs.add_parser(name, help=says, description=says, allow_abbrev=False)
        added.set_defaults(do=do)
        return added

    measured = verb('coverage', _coverage)
    measured.add_argument('--source', action='append', required=True, help='a package to measure')
    for gated in (measured, verb('gate', _gate)):
        gated.add_argument('--minimum', type=Decimal, default=coverage.MINIMUM, help='in percent')
    planned = verb('plan', _plan)
    planned.add_argument(
        '--shipped', action='append', default=[], help='what a release consists of'
    )
    verb('scan', _scan).add_argument('lock', type=Path, nargs='+')
    for name, do in (
        ('claim', _claim),
        ('stamp', _stamp),
        ('image', _image),
        ('deploy', _deploy),
        ('rollback', _rollback),
        ('move-contract', _move_contract),
        ('upkeep', _upkeep),
    ):
        verb(name, do)
    told = verb('identity', _identity)
    told.add_argument('audience')
    told.add_argument('file', type=Path)
    verb('announce', _announce).add_argument('asset', nargs='*')
    verb('bill', _bill).add_argument('lock', type=Path)
    return parser


def _coverage(arguments: Arguments) -> int:
    """run the suite on both engines, and fail when coverage is below the minimum"""
    code = coverage.measure(arguments.source, arguments.rest)
    if code:
        return code
    return _gate(arguments)


def _gate(arguments: Arguments) -> int:
    """fail when coverage in the report of the last run is below the minimum"""
    _say(coverage.gate(coverage.REPORT, arguments.minimum))
    return 0


def _plan(arguments: Arguments) -> None:
    """decide whether this run makes a release, of which version, and why"""
    occasion = Occasion.of(os.environ)
    # Without a token nobody can be asked, and every tag counts as published.
    asks = 'GITHUB_TOKEN' in os.environ and not occasion.why_not()
    published = GitHubApi().published() if asks else None
    found = plan(occasion, Repository(Path.cwd()), arguments.shipped, published)
    tell_outputs(
        {
            'release': 'false' if found.version is None else 'true',
            'version': '' if found.version is None else str(found.version),
            'reason': found.reason,
            'notes': found.notes,
        }
    )


def _scan(arguments: Arguments) -> int:
    """fail when a package has a known vulnerability"""
    locks = [word for lock in arguments.lock for word in ('--requirement', str(lock))]
    command = [sys.executable, '-m', 'pip_audit', '--require-hashes', '--disable-pip', *locks]
    return run(command, shown=True).returncode


def _claim(_: Arguments) -> None:
    """push the tag of a version before anything of it is published"""
    version = _version()
    is_new = Repository(Path.cwd()).claim(version)
    _say(f'{version.tag} {"is ours" if is_new else "stands here already"}')


def _stamp(_: Arguments) -> None:
    """write a version into the files of the package"""
    _say('\n'.join(stamp(Path.cwd(), _version())))


def _bill(arguments: Arguments) -> None:
    """print the bill of materials (CycloneDX) of a lock file"""
    moment = datetime.fromtimestamp(Repository(Path.cwd()).committed_at(), UTC)
    lock = arguments.lock.read_text()
    name = variable('GITHUB_REPOSITORY').partition('/')[2]
    version, made_at = str(_version()), moment.isoformat()
    sys.stdout.write(bill_of(lock, name=name, version=version, made_at=made_at))


def _announce(arguments: Arguments) -> None:
    """publish the release of a version on GitHub, with the notes in $NOTES and these files"""
    tag = _version().tag
    if _gh('release', 'view', tag).returncode:
        notes = os.environ.get('NOTES', '')
        made = _gh(
            'release', 'create', tag, '--verify-tag', f'--title={tag}', '--notes-file=-', said=notes
        )
        if made.returncode:
            raise RefusedError(f'gh release create: {made.stderr.strip()}')
    if arguments.asset and _gh('release', 'upload', tag, '--clobber', *arguments.asset).returncode:
        raise RefusedError('gh release upload failed')


def _gh(*arguments: str, said: str = '') -> subprocess.CompletedProcess[str]:
    return run(['gh', *arguments], said=said)


def _image(_: Arguments) -> None:
    """build the image of the service, and push it when $VERSION is set"""
    if 'VERSION' not in os.environ:
        if token := os.environ.get('GITHUB_TOKEN'):  # it may be built from images that are private
            images.sign_in('ghcr.io', user=variable('GITHUB_ACTOR'), token=token)
        images.build(Path.cwd())
        return
    repository, version = variable('GITHUB_REPOSITORY'), str(_version())
    name = f'ghcr.io/{repository.lower()}'
    labels = {
        'org.opencontainers.image.revision': Repository(Path.cwd()).head(),
        'org.opencontainers.image.source': f'{variable("GITHUB_SERVER_URL")}/{repository}',
        'org.opencontainers.image.version': version,
    }
    user, token = variable('GITHUB_ACTOR'), variable('GITHUB_TOKEN')
    image = images.publish(Path.cwd(), name, version, labels=labels, user=user, token=token)
    tell_outputs({'image': image})


def _deploy(_: Arguments) -> int:
    """deploy $IMAGE to $ENVIRONMENT with the service's own `make deploy`, and record it"""
    wanted = Deployment(
        environment=variable('ENVIRONMENT'),
        version=str(_version()),
        image=variable('IMAGE'),
        succeeded=False,
    )
    deployments = Deployments()
    history = [past for each in ENVIRONMENTS for past in deployments.history(each)]
    refuse_unless_ready(history, wanted.environment, wanted.image)
    return _bring(deployments, wanted)


def _rollback(_: Arguments) -> int:
    """deploy the previous version of $ENVIRONMENT again"""
    environment, deployments = variable('ENVIRONMENT'), Deployments()
    return _bring(deployments, previous(deployments.history(environment), environment))


def _bring(deployments: Deployments, wanted: Deployment) -> int:
    number = deployments.begin(wanted, Repository(Path.cwd()).head())
    said = {
        'ENVIRONMENT': wanted.environment,
        'VERSION': wanted.version,
        'IMAGE': wanted.image,
    }
    code = run(['make', 'deploy'], environment={**os.environ, **said}, shown=True).returncode
    deployments.end(number, succeeded=code == 0)
    _say(f'{wanted.environment}: {wanted.version} {"runs" if code == 0 else "did not come"}')
    return code


def _version() -> Version:
    """Return the version in $VERSION."""
    given = os.environ.get('VERSION', '')
    version = parse(given)
    if version is None:
        raise RefusedError(f'VERSION is {given!r}, and no version such as 1.2.3')
    return version


def _move_contract(_: Arguments) -> None:
    """move the tag that services call forward to this commit, and never back"""
    tag = f'v{CONTRACT}'
    is_here = Repository(Path.cwd()).move_forward(tag)
    _say(f'{tag} {"stands here" if is_here else "stands at a later commit"}')


def _identity(arguments: Arguments) -> None:
    """write the token of this run for an audience, by which clouds trust it, to a file"""
    write_identity(arguments.audience, arguments.file)


def _upkeep(_: Arguments) -> None:
    """raise packages, platform and template, and propose that in one pull request"""
    branch = variable('GITHUB_REF').removeprefix('refs/heads/')
    _say(upkeep.propose(Path.cwd(), upkeep.raise_all(Path.cwd()), branch))


def _say(line: str) -> None:
    """Print a line, in its place among those of the programs that are run."""
    sys.stdout.write(f'{line}\n')
    sys.stdout.flush()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
