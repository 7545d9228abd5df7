"""Projections of outcomes and deliveries into PostgreSQL."""
