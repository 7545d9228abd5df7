"""Purchases: one service for REST and pages, and the fast path to it."""
