"""Store answers where they are asked: the lists of a check and of a repository, distinct issues of
all repositories, and the links of a revision that are in no diff. It reads every link once.
"""

from typing import Any

from django.db import DatabaseError, migrations, models, transaction
from django.db.models.functions import Coalesce, Length

from backstay.engine import Bytewise, engine_of
from services.codereview.migrations import _triggers_of_postgresql, _triggers_of_sqlite


def _run(statements: str) -> Any:
    def run(_apps: Any, editor: Any) -> None:
        of = {'postgresql': _triggers_of_postgresql, 'sqlite': _triggers_of_sqlite}
        for statement in getattr(of[engine_of(editor.connection).name], statements):
            editor.execute(statement, params=None)

    return run


def _empty(_apps: Any, editor: Any) -> None:
    """Empty the derived tables, whose rows are made anew with more columns."""
    editor.execute('DELETE FROM codereview_sighting', params=None)
    editor.execute('DELETE FROM codereview_tally', params=None)
    editor.execute(
        'UPDATE codereview_diff SET nb_issues = 0, nb_issues_publishable = 0, nb_warnings = 0, '
        'nb_errors = 0 WHERE nb_issues > 0',
        params=None,
    )


def _index_texts(_apps: Any, editor: Any) -> None:
    """Index the trigrams of what is searched, where PostgreSQL has its extension and we may use it.

    Without the index the search of diffs reads those of the window one by one.
    """
    if engine_of(editor.connection).name != 'postgresql':
        return
    try:
        with transaction.atomic(using=editor.connection.alias):
            editor.execute('CREATE EXTENSION IF NOT EXISTS pg_trgm', params=None)
    except DatabaseError:
        return
    editor.execute(
        'CREATE INDEX codereview_diff_searched ON codereview_difftext '
        'USING gin (text gin_trgm_ops)',
        params=None,
    )


_NOTHING = migrations.RunPython.noop
_IS_SEEN = models.Q(last_link__isnull=False)


class Migration(migrations.Migration):
    dependencies = [('codereview', '0003_tally_sums')]

    operations = [
        migrations.RunPython(_run('DROP'), _run('CREATE')),
        migrations.RunPython(_empty, _NOTHING),
        migrations.RemoveIndex('revision', 'codereview_rev_order'),
        migrations.RemoveIndex('sighting', 'codereview_sighting_check'),
        migrations.RemoveIndex('tally', 'codereview_tally_sums'),
        *(
            migrations.AddField(
                'revision', name, models.PositiveIntegerField(default=0, editable=False)
            )
            for name in ('nb_issues', 'nb_issues_publishable', 'nb_warnings', 'nb_errors')
        ),
        migrations.RemoveField('sighting', 'first_day'),
        migrations.AddField(
            'sighting',
            'created',
            models.DateTimeField(
                default=None, help_text='When the issue was first stored, anywhere.'
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            'sighting',
            'last_link',
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=models.DO_NOTHING,
                related_name='+',
                to='codereview.issuelink',
            ),
        ),
        migrations.AddField('sighting', 'is_publishable', models.BooleanField(default=False)),
        migrations.AddField('tally', 'is_sum', models.BooleanField(default=False)),
        migrations.AddField('tally', 'found', models.IntegerField(default=0)),
        migrations.AddField('tally', 'found_publishable', models.IntegerField(default=0)),
        migrations.CreateModel(
            name='DiffText',
            fields=[
                (
                    'diff',
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=models.DO_NOTHING,
                        primary_key=True,
                        related_name='searched',
                        serialize=False,
                        to='codereview.diff',
                    ),
                ),
                ('text', models.TextField()),
            ],
        ),
        migrations.RunPython(_run('FILL'), _NOTHING),
        migrations.RunPython(_index_texts, _NOTHING),
        migrations.RunPython(_run('CREATE'), _run('DROP')),
        migrations.AddIndex(
            'issue',
            models.Index(fields=['analyzer', 'created', 'id'], name='codereview_issue_analyzer'),
        ),
        migrations.AddIndex(
            'revision',
            models.Index(
                fields=['bugzilla_id'],
                name='codereview_rev_bug',
                condition=models.Q(bugzilla_id__isnull=False),
            ),
        ),
        migrations.AddIndex(
            'revision',
            models.Index(
                Bytewise(models.F('provider')), 'provider_id', 'id', name='codereview_rev_order'
            ),
        ),
        migrations.AddIndex(
            'sighting',
            models.Index(
                fields=['repository', 'analyzer', 'analyzer_check', 'created', 'issue'],
                name='codereview_sighting_check',
                condition=_IS_SEEN,
            ),
        ),
        migrations.AddIndex(
            'sighting',
            models.Index(
                fields=[
                    'repository',
                    'analyzer',
                    'analyzer_check',
                    'is_publishable',
                    'created',
                    'issue',
                ],
                name='codereview_sighting_publish',
                condition=_IS_SEEN,
            ),
        ),
        migrations.AddIndex(
            'sighting',
            models.Index(
                fields=['repository', 'created', 'issue'],
                name='codereview_sighting_order',
                condition=_IS_SEEN,
            ),
        ),
        migrations.AddConstraint(
            'tally',
            models.UniqueConstraint(
                Coalesce('repository', 0),
                'analyzer',
                Coalesce('analyzer_check', models.Value('')),
                Coalesce(Length('analyzer_check'), -1),
                'day',
                name='codereview_one_sum_of_key',
                condition=models.Q(is_sum=True),
            ),
        ),
        migrations.AddIndex(
            'tally',
            models.Index(
                fields=[
                    'repository',
                    'analyzer',
                    'analyzer_check',
                    'day',
                    'first',
                    'last',
                    'publishable',
                    'found',
                    'found_publishable',
                ],
                name='codereview_tally_sums',
            ),
        ),
        migrations.AddIndex(
            'tally',
            models.Index(
                fields=['id'], name='codereview_tally_entries', condition=models.Q(is_sum=False)
            ),
        ),
    ]
