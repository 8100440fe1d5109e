"""The register of codes: everything that a problem or a fault may be called, said once.

`backstay.errors` takes the status of a problem from here, OpenAPI documents take what may be
answered, and `docs/reference/errors.md` is compared with it. It imports nothing of the package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of problem, as programs know it."""

    name: str
    #: The status of its answer, unless the problem says another.
    status: int
    #: When it happens: half a sentence for people.
    when: str
    #: Whether the same request may succeed when it is sent again later.
    may_repeat: bool = False


def _code(name: str, status: int, when: str, *, may_repeat: bool = False) -> Code:
    return Code(name=name, status=status, when=when, may_repeat=may_repeat)


#: The codes of problems, by what they are about.
SUBJECTS: Mapping[str, tuple[Code, ...]] = {
    'Every address': (
        _code(
            'bad-request',
            400,
            'The request cannot be understood, or its host is not one of `ALLOWED_HOSTS`',
        ),
        _code('malformed-json', 400, 'The body or a parameter is not the JSON that is asked for'),
        _code('body-incomplete', 400, 'The connection ended before the body did'),
        _code('header-invalid', 400, 'A header, such as `If-Match`, cannot be read'),
        _code('parameter-unknown', 400, 'A parameter does not exist, or is given twice'),
        _code('not-authenticated', 401, 'Nobody is signed in, or the credentials are wrong'),
        _code('not-permitted', 403, 'The caller may not do this, or not with this row'),
        _code('csrf-failed', 403, 'A call from a browser session has no valid CSRF token'),
        _code('not-found', 404, 'Nothing is at this address that the caller may see'),
        _code(
            'method-not-allowed',
            405,
            'The address exists and does not know this method; `Allow` names those it knows',
        ),
        _code('not-acceptable', 406, 'No format of the address is one that `Accept` names'),
        _code(
            'request-timeout',
            408,
            'The request did not arrive in time; the connection is closed',
            may_repeat=True,
        ),
        _code('length-required', 411, 'The server does not take the chunked body'),
        _code(
            'payload-too-large',
            413,
            'The body is larger than this address takes; `limit` tells how large it may be',
        ),
        _code('unsupported-media-type', 415, 'The address does not read this `Content-Type`'),
        _code(
            'validation-failed',
            422,
            'The body or query is well formed and something in it is wrong; see `errors`',
        ),
        _code(
            'rate-limited',
            429,
            'Too many requests; `Retry-After` tells when to come again',
            may_repeat=True,
        ),
        _code('headers-too-large', 431, 'The headers are more, or longer, than a server reads'),
        _code(
            'value-unreadable',
            500,
            'A stored value cannot be decrypted: it was changed or moved, or its key is missing; '
            'the log has the rest',
        ),
        _code('internal', 500, 'The server failed; the log has the rest'),
        _code('unavailable', 503, 'A part that is needed is down', may_repeat=True),
        _code(
            'too-many-bodies',
            503,
            'The bodies of other requests fill the memory set aside for them; `Retry-After` tells '
            'when to come again',
            may_repeat=True,
        ),
    ),
    'Reads': (
        _code('mask-parse-error', 400, 'The mask cannot be parsed'),
        _code(
            'mask-error',
            400,
            'The mask goes into a value that has no members, '
            'or, for strict clients, names an unknown member',
        ),
        _code(
            'mask-too-large',
            400,
            'The mask has more than 4096 bytes or 256 names, or nests more than 8 deep',
        ),
        _code(
            'filter-invalid',
            400,
            'The filter cannot be understood; `reason` is `BadFilterFormat`, `BadSpec`, '
            '`FieldNotFound`, `BadValue` or `TooComplex`, `pointer` the place',
        ),
        _code('sort-invalid', 400, 'The order cannot be understood'),
        _code(
            'page-invalid',
            400,
            '`limit`, `offset` or `count` is not one, or `cursor` came with `offset`',
        ),
        _code('page-too-deep', 400, 'The offset is above 10 000; cursors go deeper'),
        _code(
            'cursor-invalid',
            400,
            'The cursor is not ours, belongs to another query or caller, or is too old',
        ),
        _code(
            'mask-too-expensive',
            422,
            'The mask would read more than 50 000 related rows, '
            'reckoned by `max_page_size` and `fan_out`; data plays no part',
        ),
        _code(
            'query-too-deep',
            422,
            'SQLite before 3.46 reads nothing nested so deep; PostgreSQL does',
        ),
        _code(
            'query-too-slow',
            422,
            'The statement took longer than `BACKSTAY_STATEMENT_TIMEOUT`; '
            'an export, `BACKSTAY_EXPORT_TIMEOUT`',
        ),
    ),
    'Writes': (
        _code('bulk-empty', 400, 'A bulk write names no row'),
        _code(
            'idempotency-key-not-yours',
            400,
            'Guests have no keys where nothing tells one guest from another',
        ),
        _code('idempotency-key-missing', 400, 'The resource asks for an `Idempotency-Key` here'),
        _code(
            'list-cut',
            409,
            'A list in the body leaves out rows, and no answer can show that list whole: '
            'name it in `whole_lists`',
        ),
        _code(
            'duplicate',
            409,
            'Another row, or another operation of the request, has the same value; '
            '`errors` points at it',
        ),
        _code(
            'key-destroyed',
            409,
            'The key of an encrypted value was destroyed for good, and its row takes no new ones',
        ),
        _code('in-use', 409, 'Other rows reference the one to be deleted'),
        _code('conflict', 409, 'A row that this one references changed meanwhile', may_repeat=True),
        _code(
            'idempotency-in-progress',
            409,
            'A request with this key is under way; `Retry-After` tells when to come again',
            may_repeat=True,
        ),
        _code(
            'precondition-misplaced',
            400,
            '`If-Match` or `If-None-Match` at an address of many objects, where it names none; '
            'an operation of a bulk request has `if_version`',
        ),
        _code(
            'version-mismatch',
            412,
            'The object is not the version that `If-Match` or `if_version` names; '
            '`current_version` tells which it is, where the caller may know',
        ),
        _code('unknown-field', 422, 'A member does not exist for this caller'),
        _code('field-not-writable', 422, 'The caller may not write an existing member on this row'),
        _code(
            'reference-not-found',
            422,
            'A foreign key, link or child names no row that the caller may see',
        ),
        _code('too-many-rows', 422, 'One request has more than 1 000 rows, children included'),
        _code('bulk-refused', 422, 'Operations are refused for different reasons; see `errors`'),
        _code('idempotency-key-reused', 422, 'The key was used for another body'),
        _code('precondition-required', 428, 'The resource asks for `If-Match`'),
        _code('busy', 503, 'Others hold the same rows', may_repeat=True),
    ),
    'Callers': (
        _code('credential-invalid', 400, 'The answer of a passkey cannot be read'),
        _code('token-missing', 401, 'Nobody is signed in'),
        _code('token-invalid', 401, 'The token or key is unknown, replaced or revoked'),
        _code('token-expired', 401, 'The token has expired'),
        _code(
            'session-revoked',
            401,
            'The session of the token has ended: by signing out, by a change of the password, '
            'or because a refresh token was used twice',
        ),
        _code('credentials-invalid', 401, 'The user name or the password is wrong'),
        _code('totp-required', 401, 'The password is right, and the account has a second factor'),
        _code(
            'account-blocked',
            403,
            'The credentials are right, and the account is blocked or closed',
        ),
        _code(
            'email-unverified',
            403,
            'The credentials are right, and the e-mail address of the account is not verified',
        ),
        _code(
            'second-factor-required',
            403,
            'The account must have a second factor and has none: all it may do is add one',
        ),
        _code('ip-not-allowed', 403, 'The key may not be used from this network'),
        _code('level-too-low', 403, 'Nothing of the resource is for callers of this level'),
        _code(
            'sign-in-too-old', 403, 'This needs a sign-in, a password or a code of the last minutes'
        ),
        _code('too-many-keys', 409, 'The account has 50 active keys'),
        _code(
            'email-taken',
            409,
            'The address that the link would give back belongs to another account by now',
        ),
        _code(
            'expired', 410, 'The link that undoes a change of address is unknown, used or too old'
        ),
        _code(
            'login-throttled',
            429,
            'Too many attempts; `Retry-After` tells when to come again',
            may_repeat=True,
        ),
    ),
    'Events': (_code('not-delivered-yet', 409, 'A delivery is still under way', may_repeat=True),),
}

#: Every code of a problem, by its name.
CODES: Mapping[str, Code] = {code.name: code for codes in SUBJECTS.values() for code in codes}

#: The code of a status that nothing more precise is known of.
OF_STATUS: Mapping[int, Code] = {
    CODES[name].status: CODES[name]
    for name in (
        'bad-request',
        'not-authenticated',
        'not-permitted',
        'not-found',
        'method-not-allowed',
        'not-acceptable',
        'request-timeout',
        'length-required',
        'payload-too-large',
        'unsupported-media-type',
        'validation-failed',
        'rate-limited',
        'headers-too-large',
        'internal',
        'unavailable',
    )
}

#: Codes of faults that are also the code of the problem, where all of its faults have the same.
OF_ALL_FAULTS = frozenset({'unknown-field', 'field-not-writable', 'reference-not-found'})

#: What faults in `errors` may be called beside the codes of problems. Validators of models, fields
#: of Django REST Framework and the rules of a resource add their own.
FAULTS: Mapping[str, str] = {
    'required': 'A value is needed',
    'null': 'The value may not be null',
    'blank': 'The text may not be empty',
    'invalid': 'The value is of the wrong type, or cannot be read',
    'invalid-choice': 'The value is none of the choices',
    'max-length': 'The text is too long',
    'min-value': 'The number is too small',
    'max-value': 'The number is too large',
    'max-digits': 'The number has too many digits',
    'max-decimal-places': 'The number has too many digits behind the point',
    'max-whole-digits': 'The number has too many digits before the point',
    'key-differs': 'The body of an upsert names another key than the operation',
    'no-address': 'The value of the lookup field makes no address, such as `a/b`',
    'row-twice': 'Two operations target the same row',
    'too-deep': 'Children nest deeper than they are written',
    'address-refused': 'The address of a webhook leads to where none may lead',
    'secret-invalid': 'The secret of a webhook is too short, too long, or not in base64',
    'types-invalid': 'The types of events are no list of known ones',
    'password_breached': 'The password is known from a breach of another site',
    'password_of_the_site': 'The password is little more than words of this site',
    'password_too_long': 'The password has more characters than are read',
    'second-factor': 'The code of the second factor is needed',
}


def described() -> dict[str, Any]:
    """Return the register as programs read it in an OpenAPI document, by the names of codes."""
    return {
        code.name: {'status': code.status, 'when': code.when, 'mayRepeat': code.may_repeat}
        for code in CODES.values()
    }
