"""The addresses of list-sum, under its prefix."""

from django.urls import path

from services.listsum.views import TwoListSum, add_slash

urlpatterns = [
    path('two-list-sum/', TwoListSum.as_view(), name='two-list-sum'),
    path('two-list-sum', add_slash),
]
