"""Which topics a recording or a replay is about."""

from __future__ import annotations

import re

from endo_depth_ros.settings import SettingsError

ALL = "all"


class TopicFilter:
    """Names and regular expressions that must match a topic's whole name; `all` is everything that isn't hidden."""

    def __init__(self, text: str, namespace: str = "/") -> None:
        """text: 'all', or names and expressions separated by commas; without a leading / they are in the namespace.

        Raises SettingsError for an expression that isn't one.
        """
        self._patterns = []
        self._all = text.strip() == ALL
        for word in filter(None, (word.strip() for word in text.split(","))):
            absolute = word if word.startswith("/") else f"{namespace.rstrip('/')}/{word}"
            try:
                self._patterns.append(re.compile(absolute))
            except re.error as error:
                raise SettingsError(f"topics: '{word}' is no regular expression ({error}); correct it") from error

    def __contains__(self, topic: str) -> bool:
        if self._all:
            return not any(part.startswith("_") for part in topic.split("/"))
        return any(pattern.fullmatch(topic) for pattern in self._patterns)
