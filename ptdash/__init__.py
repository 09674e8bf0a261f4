"""ptdash: the staff dashboard of a small IT service provider."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from ptdash.config import Config


def create_app(config: "Config | None" = None) -> "Flask":
    """The application on its configuration (the environment's by default); raises ValueError without a database.

    The imports stand inside so that the rules in `ptdash.domain` can be used without a web framework.
    """
    from flask import Flask

    from ptdash import web
    from ptdash.blueprints import AREAS
    from ptdash.config import Config
    from ptdash.db import db
    from ptdash.extensions import htmx, migrate

    config = config or Config.from_env()
    app = Flask(__name__)
    app.url_map.strict_slashes = False  # a slash too many is a slip, not another page
    app.config.from_mapping(web.settings(config))
    htmx.init_app(app)
    db.init_app(app)
    migrate.init_app(app, db)
    web.init_app(app)
    for area in AREAS:
        app.register_blueprint(area)
    if config.demo:
        from ptdash.blueprints.components.views import bp as components

        app.register_blueprint(components)
    return app
