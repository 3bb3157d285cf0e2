"""The desk's pages, gathered. Each module holds its own rows of the console's table of pages."""

from __future__ import annotations

from bot.console import case_pages, live, queue_pages, search_pages

PAGES = [*queue_pages.PAGES, *case_pages.PAGES, *search_pages.PAGES, *live.PAGES]
