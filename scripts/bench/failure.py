"""What ends a measurement: a message for people and, where there is one, the way out."""


class BenchError(Exception):
    def __init__(self, message, hint=None):
        super().__init__(message)
        self.hint = hint
