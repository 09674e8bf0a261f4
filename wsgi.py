"""For any WSGI server: `wsgi:app`."""

from ptdash import create_app

app = create_app()
