"""Invented charts of many years, made of facts: `chart(seed)`."""

from practice.charts.author import chart

__all__ = ["chart"]
