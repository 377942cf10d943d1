"""Why something that was sent is not analysed."""


class Refused(Exception):
    """It was refused, or came to nothing.

    Attributes:
        code: for programs; `edge.server.uploads.STATUSES` lists them.
        message: for people: what was found, what was expected, what to do.
        retry_after_s: when to try again; 0: trying again does not help.
    """

    def __init__(self, code: str, message: str, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
