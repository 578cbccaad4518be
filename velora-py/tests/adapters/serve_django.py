"""Serves the Django project with Django's own server, the one behind ``runserver``."""

from __future__ import annotations

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from served_django import wsgi

server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
server.set_app(wsgi)
print(f"running on http://127.0.0.1:{server.server_port}")
server.serve_forever()
