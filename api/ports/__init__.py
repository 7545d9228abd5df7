"""What the API needs of the world: a module for each room. Adapters implement these ports; tests hand in fakes.

A port raises Unavailable when its server does not answer, and Refused for what it finds to be wrong. Coroutines run in
the server's loop; everything else may be called in any thread, and may block there.
"""
