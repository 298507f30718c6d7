"""The one exception that users see: its text is a whole, clear sentence, never a traceback."""

from or_mv_anon.core.printable import printable
from or_mv_anon.core.redaction import redacted


class UserError(Exception):
    """Something the user can act on: what was expected, what was found, and what to do.

    The command line prints the message as one line on stderr and exits with `exit_code`. Names from outside in it are
    safe to show, addresses without passwords.
    """

    exit_code = 2

    def __init__(self, message: object) -> None:
        super().__init__(printable(redacted(str(message))))
