"""Django REST Framework: generic views, model serializers, its pagination, orjson for the bytes."""

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from rest_framework import generics, pagination, serializers
from rest_framework.request import Request

from bench.peers import querysets
from bench.shop.models import Category, Company, Product, Variant


class Pages(pagination.LimitOffsetPagination):
    """Cuts the page from the ids and joins its rows after that, in one query."""

    def paginate_queryset(
        self, queryset: QuerySet[Product], request: Request, view: Any = None
    ) -> list[Product]:
        self.request = request
        self.limit, self.offset = self.get_limit(request), self.get_offset(request)
        self.count = self.get_count(queryset)
        ids = queryset.values('pk')[self.offset : self.offset + self.limit]
        return list(querysets.rows(ids).prefetch_related(*view.prefetch))


class CompanySerializer(serializers.ModelSerializer):
    class Meta:
        model = Company
        fields = ('id', 'name')


class CategorySerializer(serializers.ModelSerializer):
    class Meta:
        model = Category
        fields = ('id', 'name')


class VariantSerializer(serializers.ModelSerializer):
    product_id = serializers.IntegerField()

    class Meta:
        model = Variant
        fields = ('id', 'product_id', 'sku', 'name', 'price', 'stock')


class ProductSerializer(serializers.ModelSerializer):
    company_id = serializers.IntegerField()
    category_id = serializers.IntegerField()

    class Meta:
        model = Product
        fields = ('id', 'company_id', 'category_id', *querysets.COLUMNS)


class ListedSerializer(serializers.ModelSerializer):
    company = CompanySerializer()
    category = CategorySerializer()

    class Meta:
        model = Product
        fields = ('id', *querysets.COLUMNS, 'company', 'category')


class NestedSerializer(ListedSerializer):
    variants = VariantSerializer(many=True)

    class Meta(ListedSerializer.Meta):
        fields = (*ListedSerializer.Meta.fields, 'variants')


class ProductView(generics.RetrieveAPIView):
    queryset = querysets.one()
    serializer_class = ProductSerializer


class ListView(generics.ListAPIView):
    serializer_class = ListedSerializer
    pagination_class = Pages
    prefetch: tuple[Any, ...] = ()

    def get_queryset(self) -> QuerySet[Product]:
        asked = self.request.query_params
        found = Product.objects.filter(status=asked['status'])
        return found.order_by('-pk' if asked['ordering'] == '-id' else 'pk')


class NestedView(ListView):
    serializer_class = NestedSerializer
    prefetch = (querysets.variants(),)


urlpatterns = [
    path('products/<int:pk>/', ProductView.as_view()),
    path('products/', ListView.as_view()),
    path('nested-products/', NestedView.as_view()),
]
