"""The parts of a mail: headers, message, links, calendar entry."""
