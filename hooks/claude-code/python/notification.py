#!/usr/bin/env python3
"""Notification → response, in the client's own words. Not installed by install.sh."""

from event import read_hook, send, texts

hook = read_hook()
send(hook, "response", metadata=texts(hook, "notification_type", "message"))
