from typing import Any

import django.core.validators
import django.db.models.functions.text
from django.db import migrations, models


def keep_blocked(apps: Any, schema_editor: Any) -> None:
    """Who was switched off stays so; whose user name is an address has it as e-mail address."""
    accounts = apps.get_model('identity', 'Account')._default_manager.using(
        schema_editor.connection.alias
    )
    accounts.filter(is_active=False).update(status='blocked')
    accounts.filter(username__contains='@').update(email=models.F('username'))


class Migration(migrations.Migration):
    dependencies = [
        ('identity', '0001_accounts'),
    ]

    # allauth's migration reads the e-mail addresses of the accounts, and does not say so.
    run_before = [('account', '0001_initial')]

    operations = [
        migrations.AddField(
            model_name='account',
            name='email',
            field=models.EmailField(
                blank=True, max_length=254, verbose_name='e-mail address', default=''
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='account',
            name='level',
            field=models.PositiveSmallIntegerField(
                default=1,
                help_text='1 for everybody; what more is allowed from which level, resources say.',
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(5),
                ],
            ),
        ),
        migrations.AddField(
            model_name='account',
            name='status',
            field=models.CharField(
                choices=[('active', 'Active'), ('blocked', 'Blocked'), ('closed', 'Closed')],
                default='active',
                max_length=8,
            ),
        ),
        migrations.RunPython(keep_blocked, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='account',
            name='is_active',
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(
                condition=models.Q(('username', django.db.models.functions.text.Lower('username'))),
                name='identity_account_username_is_lower_case',
            ),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(
                condition=models.Q(('email', django.db.models.functions.text.Lower('email'))),
                name='identity_account_email_is_lower_case',
            ),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(
                condition=models.Q(('email', ''), _negated=True),
                fields=('email',),
                name='identity_account_email_is_unique',
            ),
        ),
    ]
