"""Purchases: one service for REST, pages and links, and the fast path to it."""
