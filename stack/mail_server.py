"""The mail server of the stack (stack/mailbox.py) as one of its servers."""

import signal
import sys
from pathlib import Path

from stack.child import Command
from stack.member import StackMember
from stack.ports import listens


class MailServer(StackMember):
    """Keeps every mail in ``mail/`` of the data folder."""

    name = "smtp"

    def command(self) -> Command:
        ports = (str(self.settings.smtp_port), str(self.settings.mail_port))
        argv = (sys.executable, "-m", "stack.mailbox", str(self.settings.home / "mail"), *ports)
        return Command(argv, self.log, cwd=Path(__file__).parents[1], death_signal=signal.SIGTERM)

    def ready(self) -> bool:
        """Whether it receives mails and shows them."""
        return listens(self.settings.smtp_port) and listens(self.settings.mail_port)
