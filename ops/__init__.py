"""Operations: the ``turnstile`` command, the exporter, the servers' configuration files."""
