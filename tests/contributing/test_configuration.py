"""The configuration: empty is enough, and a mistake is named."""

import pytest

from backstay.contributing import Config, ConfigurationProblem, read_configuration


def test_an_empty_file_is_enough() -> None:
    assert read_configuration('') == Config()


def test_every_number_can_be_changed() -> None:
    config = read_configuration("""
        names = ['helper']
        [limits]
        per_issue = 1
        per_person = 2
        [inactivity]
        warn_after_days = 10
        unassign_after_days = 4
        [description]
        reminders = 1
        every_days = 2
        team = 'acme/team'
        help = false
        [board]
        project = 4
        to_do = 'Todo'
        [agreement]
        version = '2.0.1'
        link = 'https://acme.example/agreement'
        sign_anew = 'minor'
        repository = 'acme/signatures'
        bots = ['dependabot[bot]']
    """)

    assert (config.limits.per_issue, config.limits.per_person) == (1, 2)
    assert config.inactivity.warn_after.days == 10
    assert config.board.project == 4
    assert config.agreement
    assert config.agreement.bots == ('dependabot[bot]',)


@pytest.mark.parametrize(
    ('text', 'named'),
    [
        ('[limits]\nper_isue = 2', 'limits.per_isue'),
        ('[limits]\nper_issue = 0', 'limits.per_issue'),
        ('[limits]\nper_issue = 11', 'limits.per_issue'),
        ('[limits]\nper_issue = "2"', 'limits.per_issue'),
        ('[limits]\nper_issue = true', 'limits.per_issue'),
        ('[description]\nhelp = "no"', 'description.help'),
        ('[description]\nteam = "@acme/team"', 'description.team'),
        ('[agreement]\nversion = "1.0"\nlink = "https://a.example"', 'agreement.version'),
        ('[agreement]\nversion = "1.0.0"', 'agreement.link'),
        ('[agreement]\nversion = "1.0.0"\nlink = "javascript:x"', 'agreement.link'),
        ('[agreement]\nversion = "1.0.0"\nlink = "https://a"\nbranch = "-x"', 'agreement.branch'),
        ('[[labels.groups]]\nname = "x"', 'labels.groups.0.labels'),
        ('limits = [', 'TOML'),
    ],
)
def test_a_mistake_is_named(text: str, named: str) -> None:
    with pytest.raises(ConfigurationProblem, match=named):
        read_configuration(text)
