"""What keeps ptdash from running, each as a sentence that says what to do."""

from ptdash.domain.errors import DomainError


class ServerDidNotStart(DomainError):
    message = "%(server)s did not start: %(reason)s"


class ServerIncomplete(DomainError):
    message = "%(server)s is not installed completely: %(path)s is missing. Install ptdash's packages again."


class DataOfAnotherVersion(DomainError):
    message = (
        "The database in %(path)s was written by PostgreSQL %(found)s; this ptdash brings PostgreSQL %(ours)s, "
        "which cannot read it. Start it with the ptdash that wrote it."
    )


class UnsafeDirectory(DomainError):
    message = "%(path)s must be a directory that only %(owner)s may enter. Remove it and start again."


class NoPlaceForSockets(DomainError):
    message = "No directory is short enough for a socket of %(home)s. Set PTDASH_HOME to a shorter path."


class HomeWasMoved(DomainError):
    message = (
        "%(link)s points to the database of another home (%(target)s). "
        "Move the home back, or remove the link to begin with an empty database."
    )


class HomeNotWritable(DomainError):
    message = "%(path)s cannot be written (%(reason)s). Set PTDASH_HOME to a directory that can."


class AlreadyUp(DomainError):
    message = "ptdash already runs on %(home)s: process %(pid)s on %(host)s since %(since)s."
    status = 409


class AddressNotFree(DomainError):
    message = "%(host)s:%(port)s cannot be used (%(reason)s). Choose another with --port or --host."
    status = 409


class DatabaseElsewhere(DomainError):
    message = (
        "The ptdash that runs on %(home)s uses the database named by DATABASE_URL. Set it for this command too."
    )


class DatabaseLost(DomainError):
    message = (
        "Somebody uses the database of %(home)s, but it does not answer. "
        "Wait until that command has ended, or see %(log)s."
    )
    status = 409


class FixedDayOutsideDemo(DomainError):
    message = "PTDASH_TODAY fixes the business day; `ptdash up` accepts it only with --demo."


class BackupFailed(DomainError):
    message = "The backup %(path)s was not written: %(reason)s. What stood there before is still there."


class NoBackup(DomainError):
    message = "%(path)s cannot be restored: %(reason)s."


class NewerBackup(DomainError):
    message = "%(path)s was written by a newer ptdash (its tables are at %(revision)s). Restore it with that one."


class NotEmpty(DomainError):
    message = (
        "There are tables already in the database of %(home)s. A backup is restored into an empty home: "
        "set PTDASH_HOME to a directory that does not exist yet."
    )
    status = 409


class RestoreFailed(DomainError):
    message = "Nothing was restored: %(reason)s"
