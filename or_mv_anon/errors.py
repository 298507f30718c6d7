"""The one exception that users see: its text is a whole, clear sentence, never a traceback."""


class UserError(Exception):
    """Something the user can act on: what was expected, what was found, and what to do.

    The command line prints the message as one line on stderr and exits with `exit_code`.
    """

    exit_code = 2
