"""All tables of the gateway, in one `metadata`, for whoever makes or compares them."""

from bot.directory import models as directory_models  # noqa: F401
from bot.handoff import tables as handoff_tables  # noqa: F401
from bot.staff import tables as staff_tables  # noqa: F401
from bot.store.database import Base
from bot.vault import conversations  # noqa: F401

metadata = Base.metadata
