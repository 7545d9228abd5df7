"""The parts of mails: headers, messages, links, calendar entries."""
