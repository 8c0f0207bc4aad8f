"""Why a transform cannot be had."""


class TransformException(Exception):
    """Any reason why a transform cannot be had."""


class ConnectivityException(TransformException):
    """The two frames are in trees that nothing connects."""


class LookupException(TransformException):
    """A frame that nobody has published yet, or a tree that is a loop."""


class ExtrapolationException(TransformException):
    """The time asked for lies outside the data that the buffer holds."""


class InvalidArgumentException(TransformException):
    """A frame name that cannot be one: empty, or with a leading slash."""


class TimeoutException(TransformException):
    """The transform did not come in time; this package itself never raises it, as the official one."""
