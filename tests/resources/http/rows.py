"""The rows of the contract's cases, and a small bookshop."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.bookshop.models import Author, Biography, Book, Country, Edition, Publisher, Review, Tag
from tests.catalogue.models import Category, Price, Product, Seo, Variant

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)


def store_products() -> None:
    """The five products of section 5.7."""
    for pk, name in ((1, 'Mugs'), (2, 'Shirts')):
        Category.objects.create(pk=pk, name=name)
    for pk, name, price, status, category, day, labels in (
        (1, 'Blue mug', '12.50', 'active', 1, date(2026, 1, 10), ['new', 'sale']),
        (2, 'Red mug', '9.00', 'active', 1, date(2026, 2, 1), ['sale']),
        (3, 'Plain shirt', '25.00', 'draft', 2, None, []),
        (4, 'Mug_100%', '15.00', 'archived', 1, date(2026, 3, 5), ['mug']),
        (5, 'blue SHIRT', None, 'active', None, None, None),
    ):
        Product.objects.create(
            pk=pk,
            name=name,
            price=price and Decimal(price),
            status=status,
            category_id=category,
            released_on=day,
            labels=labels,
        )
    for pk, product, sku, qty in (
        (1, 1, 'MUG-B-S', 0),
        (2, 1, 'MUG-B-L', 7),
        (3, 2, 'MUG-R-S', 3),
        (4, 3, 'SH-P-M', None),
        (5, 3, 'SH-P-L', 7),
    ):
        Variant.objects.create(pk=pk, product_id=product, sku=sku, qty=qty)


def store_shown_products() -> None:
    """P7 and P8 of section 4.7."""
    mug = Product.objects.create(
        pk=7,
        name='Mug',
        slug='mug',
        status='active',
        description='Blue mug',
        labels=['new', 'sale'],
        metadata={'color': 'blue', 'dims': {'h': 10, 'w': 8}},
        cost=Decimal('3.10'),
    )
    Product.objects.create(pk=8, name='Cup', slug='cup', status='draft', labels=[])
    Seo.objects.create(product=mug, title='Mug!', description='Buy a mug')
    small = Variant.objects.create(pk=71, product=mug, sku='MUG-S', weight=300)
    Variant.objects.create(pk=72, product=mug, sku='MUG-L', weight=450)
    Price.objects.create(pk=711, variant=small, currency='EUR', amount=Decimal('12.50'))
    mug.categories.add(Category.objects.create(pk=4, parent_id=1, name='Mugs', path='1/4'))


def store_books(number: int = 7) -> None:
    """Books 1 to `number`: every second has a publisher, every third no price."""
    country = Country.objects.create(code='DE', name='Germany')
    publisher = Publisher.objects.create(pk=1, name='Sperling & Söhne', country=country)
    author = Author.objects.create(pk=1, name='Ada', born=date(1815, 12, 10))
    Biography.objects.create(author=author, text='Long.', words=1)
    tags = [Tag.objects.create(label=f'tag {at}') for at in range(7)]
    for pk in range(1, number + 1):
        book = Book.objects.create(
            pk=pk,
            title=f'Book {pk}',
            slug=f'book-{pk}',
            price=None if pk % 3 == 0 else Decimal(pk),
            rating=0.1 + 0.2,
            created_at=FIRST + timedelta(hours=pk),
            metadata={'colour': 'blue' if pk % 2 else 'red'},
            labels=['new'] if pk % 2 else None,
            publisher=publisher if pk % 2 else None,
        )
        book.authors.add(author)
        book.tags.set(tags[:pk])
        edition = Edition.objects.create(book=book, isbn=f'{pk}-1', stock=pk)
        Review.objects.create(edition=edition, stars=pk % 5)
