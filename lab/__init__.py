"""Turnstile measured, broken and shown: benchmarks, chaos runs, the demonstration."""
