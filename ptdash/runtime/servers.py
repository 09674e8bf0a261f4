"""The home's own PostgreSQL and Valkey while `ptdash up` runs, shared with commands."""

from dataclasses import replace
from pathlib import Path

from ptdash.config import Config, sqlalchemy_url
from ptdash.runtime.children import postgres_child, valkey_child
from ptdash.runtime.locks import Lock, UpLock
from ptdash.runtime.logs import say
from ptdash.runtime.postgres import Postgres
from ptdash.runtime.supervisor import OURSELVES, Supervisor
from ptdash.runtime.valkey import Valkey

NAMES = ("valkey", "postgres")


class Servers:
    """The home's PostgreSQL and Valkey under a supervisor, shared with commands."""

    def __init__(self, home: Path, supervisor: Supervisor, lock: UpLock) -> None:
        self._home = home
        self._supervisor = supervisor
        self._up = lock
        self._transition = Lock(home, "transition")
        self._holders = Lock(home, "holders")
        self._serving = False

    def start(self, config: Config) -> Config:
        """Start what the configuration does not name; from then on commands use it too."""
        if not self._is_last_holder():
            say(OURSELVES, "A command uses the database of this home. Waiting for it to end.")
            self._supervisor.wait_for(self._is_last_holder)
        embedded = not config.database_url
        if embedded:
            config = replace(config, database_url=sqlalchemy_url(self._start_postgres()))
        if not config.redis_url:
            config = replace(config, redis_url=self._start_valkey())
        self._up.serve(database_elsewhere=not embedded, redis_url=config.redis_url)
        self._serving = True
        self._holders.take(shared=True)
        self._transition.release()
        return config

    def stop(self) -> None:
        """Stop them once no command needs them any more; a second signal stops them anyway."""
        requests = self._supervisor.stop_requests
        if self._serving and not self._is_last_holder():
            say(OURSELVES, "A command still uses the database. Waiting for it; Ctrl-C again to stop anyway.")
            while not self._is_last_holder() and self._supervisor.stop_requests == requests:
                self._supervisor.step()
        self._supervisor.stop(["valkey"], patient=True)
        self._supervisor.stop(["postgres"], patient=True)
        self._up.leave()
        self._transition.close()
        self._holders.close()

    def _is_last_holder(self) -> bool:
        """Nobody joins or leaves any more, and nobody else is there.

        Commands let go of the home before they ask for the transition, so waiting inside it is safe.
        """
        return self._transition.take() and self._holders.take()

    def _start_postgres(self) -> str:
        postgres = Postgres.of_home(self._home)
        # One that a killed command or supervisor left behind would not be ours to watch.
        postgres.stop()
        postgres.prepare()
        self._supervisor.start_and_wait(postgres_child(postgres))
        postgres.ensure_database()
        return postgres.url

    def _start_valkey(self) -> str:
        valkey = Valkey.of_home(self._home)
        valkey.stop()
        self._supervisor.start_and_wait(valkey_child(valkey))
        return valkey.url
