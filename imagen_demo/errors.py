"""The errors that are meant for people."""

from __future__ import annotations


class UserError(Exception):
    """One sentence for a person: what is wrong, with which file, what to do.

    Shown unchanged by the UI and the command line. The English sentence is a
    ``str.format`` template; the UI looks the template up to show it in Chinese. A value may
    be a UserError: a sentence within the sentence.

    >>> str(UserError("{name} has {count} pictures; at least 11 are needed.", name="cats", count=3))
    'cats has 3 pictures; at least 11 are needed.'
    """

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values


class Cancelled(Exception):
    """The user asked for the work to stop; nothing half-made was left behind."""
