from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from config.api import api
from monitor.views import dashboard

urlpatterns: list[URLPattern | URLResolver] = [
    path("", dashboard, name="dashboard"),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
]
