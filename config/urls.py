from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from config.api import api
from monitor.views import calls, dashboard, prices, receipt, search, status

urlpatterns: list[URLPattern | URLResolver] = [
    path("", dashboard, name="dashboard"),
    path("api/", api.urls),
    path("calls/", calls, name="calls"),
    path("prices/", prices, name="prices"),
    path("status/", status, name="status"),
    path("calls/<int:call_id>/", receipt, name="receipt"),
    path("search/", search, name="search"),
    path("admin/", admin.site.urls),
]
