"""All records, to look at: facts are told by agents, so none can be added, changed or deleted; prices can."""

from django.contrib import admin

from monitor.admin import bookkeeping, entries, facts, prices, rollups, sessions

__all__ = ["bookkeeping", "entries", "facts", "prices", "rollups", "sessions"]

admin.site.site_header = "AgentMonitor"
admin.site.site_title = "AgentMonitor admin"
admin.site.index_title = "Records"
admin.site.site_url = None  # templates/admin/base_site.html has a link with a better name
