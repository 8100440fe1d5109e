"""What analyzers find, for seeds: their checks, the files they look at, and what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

from backstay.seeding import Draw


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzer:
    """A task of the analysis, as the bot names it."""

    name: str
    #: The most frequent first.
    checks: tuple[str, ...]
    #: Endings of the files that it looks at.
    endings: tuple[str, ...]
    #: What it says: `{}` is a name in the code.
    messages: tuple[str, ...]
    #: How many of a hundred issues are errors.
    errors: int


ANALYZERS = (
    Analyzer(
        name='source-test-clang-tidy',
        checks=_words("""
            modernize-use-nullptr readability-braces-around-statements modernize-use-override
            bugprone-narrowing-conversions performance-unnecessary-value-param
            modernize-use-auto readability-else-after-return misc-unused-parameters
            bugprone-macro-parentheses modernize-use-equals-default
            readability-redundant-member-init
            performance-for-range-copy modernize-loop-convert bugprone-sizeof-expression
            mozilla-dangling-on-temporary mozilla-refcounted-inside-lambda
            clang-analyzer-core.NullDereference clang-analyzer-deadcode.DeadStores
            clang-analyzer-cplusplus.NewDeleteLeaks clang-analyzer-security.insecureAPI.strcpy
            readability-container-size-empty performance-move-const-arg bugprone-use-after-move
            modernize-use-emplace cert-flp30-c misc-non-copyable-objects
            """),
        endings=('cpp', 'cpp', 'h', 'mm'),
        messages=(
            "Warning: The parameter '{}' is copied for each invocation but only used as a const "
            'reference; consider making it a const reference [clang-tidy]',
            "Warning: Use nullptr instead of a literal zero where '{}' is expected [clang-tidy]",
            "Warning: Narrowing conversion from 'size_t' (aka 'unsigned long') to signed type "
            "'int32_t' (aka 'int') is implementation-defined: '{}' [clang-tidy]",
            "Warning: Annotate this function with 'override' or (rarely) 'final': {} [clang-tidy]",
            "Error: '{}' is used after it was moved; it's undefined whether it still holds what it "
            'held before. Move it in the last use, or copy it. The move is in a lambda that may '
            'run later, so the order of both is not that of the text. [clang-tidy]',
        ),
        errors=12,
    ),
    Analyzer(
        name='source-test-mozlint-eslint',
        checks=_words("""
            no-unused-vars prettier/prettier no-undef mozilla/no-arbitrary-setTimeout
            mozilla/use-isInstance no-shadow mozilla/reject-importGlobalProperties
            no-nested-ternary consistent-return mozilla/valid-lazy mozilla/no-useless-parameters
            mozilla/use-chromeutils-import no-empty eqeqeq no-useless-return
            mozilla/balanced-listeners mozilla/mark-test-function-used prefer-const object-shorthand
            no-redeclare mozilla/reject-some-requires no-lonely-if jsdoc/check-tag-names
            @microsoft/sdl/no-insecure-url no-unsanitized/property no-unsanitized/method
            """),
        endings=('mjs', 'js', 'js', 'jsx', 'xhtml'),
        messages=(
            "'{}' is assigned a value but never used. Allowed unused vars must match /^_/u.",
            "'{}' is not defined.",
            'Replace `{}` with a line of its own.',
            "'{}' is already declared in the upper scope on line 12 column 7.",
            'listen for events instead of calling setTimeout() with an arbitrary delay in {}',
            'Insecure URL in {}: use https.',
        ),
        errors=55,
    ),
    Analyzer(
        name='source-test-clang-format',
        checks=('invalid-styling',),
        endings=('cpp', 'h', 'c'),
        messages=('The change does not follow the C/C++ coding style, please reformat',),
        errors=0,
    ),
    Analyzer(
        name='source-test-mozlint-ruff',
        checks=_words("""
            F401 E501 F841 UP031 UP032 PLR2004 I001 E741 F811 PLR0912 PLR0915 B006 UP006 RUF012
            E722 B007 PLR1714 C408 F821 PLW2901 UP035 E402
            """),
        endings=('py',),
        messages=(
            '`{}` imported but unused',
            'Line too long: `{}` is at column 99',
            'Local variable `{}` is assigned to but never used',
            'Use format specifiers instead of percent format in `{}`',
            'Undefined name `{}`',
        ),
        errors=30,
    ),
    Analyzer(
        name='source-test-mozlint-stylelint',
        checks=_words("""
            stylelint-plugin-mozilla/no-base-design-tokens no-descending-specificity
            declaration-block-no-redundant-longhand-properties no-duplicate-selectors
            stylelint-plugin-mozilla/use-border-radius-tokens block-no-empty csstools/use-logical
            font-family-no-missing-generic-family-keyword length-zero-no-unit
            """),
        endings=('css',),
        messages=(
            'Expected selector ".{}" to come before selector ".{}:hover"',
            'Unexpected duplicate selector ".{}"',
            'Unexpected physical property in ".{}": use "inset-inline-start"',
        ),
        errors=45,
    ),
    Analyzer(
        name='source-test-mozlint-clippy',
        checks=_words("""
            clippy::needless_return clippy::redundant_clone clippy::too_many_arguments
            clippy::single_match clippy::len_zero clippy::needless_borrow clippy::missing_safety_doc
            clippy::type_complexity clippy::unwrap_or_default clippy::manual_map dead_code
            unused_variables unused_imports clippy::not_unsafe_ptr_arg_deref
            """),
        endings=('rs',),
        messages=(
            'unused variable: `{}`\nhelp: if this is intentional, prefix it with an underscore',
            'this expression creates a reference which is immediately dereferenced: `{}`',
            'function `{}` has too many arguments (9/7)\nnote: the lint level is defined here',
            'redundant clone of `{}`\nnote: this value is dropped without further use',
        ),
        errors=20,
    ),
    Analyzer(
        name='source-test-mozlint-codespell',
        checks=('codespell',),
        endings=('rst', 'md', 'cpp', 'js', 'html'),
        messages=('{} is misspelled', 'recieve ==> receive in {}', 'occured ==> occurred in {}'),
        errors=0,
    ),
    Analyzer(
        name='source-test-coverity-coverity',
        checks=_words("""
            RESOURCE_LEAK NULL_RETURNS UNINIT FORWARD_NULL CHECKED_RETURN DEADCODE OVERRUN
            UNINIT_CTOR REVERSE_INULL TAINTED_SCALAR LOCK USE_AFTER_FREE
            """),
        endings=('cpp', 'c', 'h'),
        messages=(
            'Variable "{}" going out of scope leaks the storage it points to. The path that leads '
            'there allocates it in the first branch, returns early where the second condition '
            'holds, and never reaches the code that gives it back.',
            'Dereferencing a pointer that might be "nullptr" "{}" when calling "Init".',
            'Checked return value of "{}" in 14 of 16 call sites, but not here.',
        ),
        errors=8,
    ),
    Analyzer(
        name='source-test-mozlint-license',
        checks=('license',),
        endings=('py', 'rs', 'js', 'h'),
        messages=('No matching license strings found in tools/lint/license/valid-licenses.txt',),
        errors=100,
    ),
    Analyzer(
        name='source-test-mozlint-yaml',
        checks=_words('line-length indentation trailing-spaces key-duplicates comments colons'),
        endings=('yml', 'yaml'),
        messages=('wrong indentation: expected 4 but found 2 at {}', 'duplication of key "{}"'),
        errors=70,
    ),
    Analyzer(
        name='source-test-mozlint-shellcheck',
        checks=_words('SC2086 SC2046 SC2164 SC2006 SC2155 SC2181 SC1091'),
        endings=('sh',),
        messages=('Double quote to prevent globbing and word splitting of ${}.',),
        errors=5,
    ),
    Analyzer(
        name='source-test-mozlint-rst',
        checks=_words('rst/error rst/warning rst/severe'),
        endings=('rst',),
        messages=('Title underline too short.', 'Unknown interpreted text role "{}".'),
        errors=60,
    ),
)
#: Of a hundred issues.
SHARES = {0: 26, 1: 24, 2: 10, 3: 12, 4: 6, 5: 8, 6: 4, 7: 4, 8: 2, 9: 2, 10: 1, 11: 1}

_FOLDERS = _words("""
    accessible/base browser/base/content browser/components/aboutwelcome
    browser/components/customizableui browser/components/downloads browser/components/extensions
    browser/components/migration browser/components/newtab/lib browser/components/places
    browser/components/preferences browser/components/sessionstore browser/components/tabbrowser
    browser/components/urlbar browser/extensions/formautofill browser/themes/shared
    build/moz.configure caps devtools/client/debugger/src/utils devtools/client/inspector/rules
    devtools/client/netmonitor/src/components devtools/server/actors docs/code-quality
    docshell/base dom/base dom/canvas dom/fetch dom/file/ipc dom/html dom/indexedDB dom/ipc
    dom/media/webrtc dom/serviceworkers dom/svg dom/webgpu editor/libeditor extensions/permissions
    gfx/layers/ipc gfx/thebes gfx/webrender_bindings/src gfx/wr/webrender/src image/decoders
    intl/l10n ipc/chromium/src/base ipc/glue js/src/builtin js/src/frontend js/src/gc js/src/jit
    js/src/vm js/src/wasm layout/base layout/forms layout/generic layout/style layout/tables
    media/libcubeb memory/build mobile/android/geckoview/src/main mozglue/misc
    netwerk/base netwerk/cache2 netwerk/dns netwerk/protocol/http parser/html python/mach/mach
    python/mozbuild/mozbuild/backend remote/webdriver-bidi/modules security/manager/ssl
    services/sync/modules servo/components/style/properties storage
    taskcluster/gecko_taskgraph/transforms testing/marionette testing/mozharness/mozharness
    testing/web-platform/tests/css third_party/rust/naga toolkit/components/antitracking
    toolkit/components/extensions toolkit/components/glean toolkit/components/passwordmgr
    toolkit/components/places toolkit/components/telemetry toolkit/modules toolkit/mozapps/update
    toolkit/xre tools/lint tools/profiler/core uriloader/exthandler widget/cocoa widget/gtk
    widget/windows xpcom/base xpcom/ds xpcom/threads
    """)
_STEMS = _words("""
    Actor Allocator Animation Browser Buffer Cache Channel Client Codec Content Context Cookie
    Decoder Document Download Element Encoder Event Extension Factory Fetch Frame Handler History
    Image Input Iterator Layer Listener Loader Manager Media Message Module Monitor Node Observer
    Origin Panel Parser Permission Policy Process Profile Promise Provider Proxy Queue Record
    Registry Request Response Runtime Scheduler Script Search Session Settings Sheet Socket Storage
    Stream Style Surface Sync Tab Task Text Thread Timer Token Tracker Tree Update Utils View Window
    Worker Wrapper
    """)


def path(draw: Draw, endings: Sequence[str]) -> str:
    """A file: some have many issues, most have few; a folder has a dozen kinds of them."""
    # The smaller of two draws: the first are drawn about twice as often as those in the middle.
    folder = min(draw.below(len(_FOLDERS)), draw.below(len(_FOLDERS)))
    stem = _STEMS[(7 * folder + draw.zipf(12)) % len(_STEMS)]
    more = ('', 'Parent', 'Child', 'Test')[draw.zipf(4)]
    return f'{_FOLDERS[folder]}/{stem}{more}.{draw.pick(endings)}'


def name(draw: Draw) -> str:
    """A name in the code."""
    return f'{draw.pick("amgs")}{draw.pick(_STEMS)}{draw.pick(_STEMS)}'
