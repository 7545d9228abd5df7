"""The ports of the API, a module for each room. Adapters implement them; tests use fakes.

A port raises Unavailable if its server does not answer, and Refused for a request that it can't grant. Coroutines run
in the server's loop; everything else may be called in any thread, and may block there.
"""
