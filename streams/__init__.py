"""The Faust application: agents around the pure state of ``tables``, its tables, views and sinks."""
