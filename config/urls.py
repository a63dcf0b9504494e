from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from config.api import api
from monitor.views import dashboard, receipt

urlpatterns: list[URLPattern | URLResolver] = [
    path("", dashboard, name="dashboard"),
    path("api/", api.urls),
    path("calls/<int:call_id>/", receipt, name="receipt"),
    path("admin/", admin.site.urls),
]
