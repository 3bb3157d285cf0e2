"""The directory in HSDS 3: the earlier tables' own rows are carried over, the starter set is loaded anew.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from bot.directory import entries, vocabulary
from bot.directory.fulltext import POSTGRESQL, SQLITE
from bot.directory.hsds import made_id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

EARLIER = (
    "attribute",
    "language",
    "phone",
    "schedule",
    "service_area",
    "service_at_location",
    "location",
    "service",
    "organization",
    "emergency_number",
    "starter_load",
)


def upgrade() -> None:
    connection = op.get_bind()
    kept = {
        table: [dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}")).mappings()]  # noqa: S608
        for table in EARLIER
    }
    for table in EARLIER:
        op.drop_table(table)
    create()
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
    carry_over(connection, kept)


def carry_over(connection: sa.Connection, kept: dict[str, list[dict[str, Any]]]) -> None:
    """Put the rows that no starter set knew into the new tables."""
    starter = {name for row in kept["starter_load"] for name in (row["organizations"] or "").split()}
    own = [row for row in kept["organization"] if row["id"] not in starter]
    services = [row for row in kept["service"] if row["organization_id"] in {each["id"] for each in own}]
    if not own:
        return
    ids = {row["id"]: made_id("earlier", row["id"]) for row in (*own, *services)}
    tables = sa.MetaData()
    tables.reflect(connection)

    def add(table: str, **values: Any) -> None:
        connection.execute(tables.tables[table].insert().values(**values))

    for entity, row in vocabulary.rows():
        add(entity, dataset="starter", **row)
    for row in own:
        add(
            "organization",
            id=ids[row["id"]],
            name=row["name"],
            description=row["description"] or row["name"],
            website=row["website"],
        )
    for row in services:
        key = ids[row["id"]]
        assured = row["assured_date"]
        add(
            "service",
            id=key,
            organization_id=ids[row["organization_id"]],
            name=row["name"],
            description=row["description"],
            url=row["url"],
            status=row["status"],
            assured_date=assured and str(assured)[:10],
        )
        zone = next((each["timezone"] for each in kept["schedule"] if each["service_id"] == row["id"]), None)
        facts = {
            "source": row["source"],
            "checked": row["checked"] and str(row["checked"])[:10],
            "chat_url": row["chat_url"],
            "timezone": zone,
            "free": None if row["free"] is None else "yes" if row["free"] else "no",
        }
        for name, value in facts.items():
            if value:
                add("attribute", **vocabulary.attribute("service", key, "fact", name, value))
        add("attribute", **vocabulary.attribute("service", key, "kind", row["kind"]))
    for table in ("phone", "schedule", "language", "service_area", "attribute"):
        for each in kept[table]:
            if each["service_id"] not in ids:
                continue
            link = {"id": made_id("earlier", table, str(each["id"])), "service_id": ids[each["service_id"]]}
            if table == "phone":
                add("phone", **link, number=each["number"], type=each["type"])
                domestic = "yes" if each["domestic_only"] else "no"
                add("attribute", **vocabulary.attribute("phone", link["id"], "fact", "domestic_only", domestic))
            elif table == "schedule":
                add("schedule", **link, **{name: each[name] for name in ("freq", "byday", "opens_at", "closes_at")})
            elif table == "language":
                add("language", **link, code=each["code"])
            elif table == "service_area":
                place = "country" if each["extent"] else "global"
                add("service_area", **link, extent=each["extent"], name=each["name"], extent_type=place)
            elif each["taxonomy"] == "need" and each["term"] in vocabulary.taxonomies()["need"]["terms"]:
                add("attribute", **vocabulary.attribute("service", link["service_id"], "need", each["term"]))
    entries.reindex(connection, [ids[row["id"]] for row in services])


def create() -> None:
    op.create_table(
        "dataset",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_dataset")),
    )
    op.create_table(
        "directory_change",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("approved_by", sa.String(length=32), nullable=True),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_directory_change")),
    )
    op.create_index(op.f("ix_directory_change_organization_id"), "directory_change", ["organization_id"], unique=False)
    op.create_index(op.f("ix_directory_change_service_id"), "directory_change", ["service_id"], unique=False)
    op.create_table(
        "directory_proposal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_proposal")),
    )
    op.create_index(
        op.f("ix_directory_proposal_organization_id"), "directory_proposal", ["organization_id"], unique=False
    )
    op.create_index(op.f("ix_directory_proposal_service_id"), "directory_proposal", ["service_id"], unique=False)
    op.create_index(op.f("ix_directory_proposal_status"), "directory_proposal", ["status"], unique=False)
    op.create_table(
        "directory_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_version")),
    )
    op.create_table(
        "editor_organization",
        sa.Column("operator_id", sa.String(length=16), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "organization_id", name=op.f("pk_editor_organization")),
    )
    op.create_table(
        "emergency_number",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("how", sa.String(length=20), nullable=False),
        sa.Column("reaches", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=True),
        sa.Column("registration", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("checked", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_number")),
    )
    op.create_index(op.f("ix_emergency_number_country"), "emergency_number", ["country"], unique=False)
    op.create_table(
        "meta_table_description",
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("character_set", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meta_table_description")),
    )
    op.create_table(
        "metadata",
        sa.Column("resource_id", sa.String(length=36), nullable=True),
        sa.Column("resource_type", sa.Text(), nullable=True),
        sa.Column("last_action_date", sa.Text(), nullable=True),
        sa.Column("last_action_type", sa.Text(), nullable=True),
        sa.Column("field_name", sa.Text(), nullable=True),
        sa.Column("previous_value", sa.Text(), nullable=True),
        sa.Column("replacement_value", sa.Text(), nullable=True),
        sa.Column("updated_by", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata")),
    )
    op.create_index(op.f("ix_metadata_resource_id"), "metadata", ["resource_id"], unique=False)
    op.create_table(
        "organization",
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("alternate_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("tax_status", sa.Text(), nullable=True),
        sa.Column("tax_id", sa.Text(), nullable=True),
        sa.Column("year_incorporated", sa.Float(), nullable=True),
        sa.Column("legal_status", sa.Text(), nullable=True),
        sa.Column("logo", sa.Text(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("parent_organization_id", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )
    op.create_table(
        "restricted_record",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restricted_record")),
    )
    op.create_index(
        op.f("ix_restricted_record_organization_id"), "restricted_record", ["organization_id"], unique=False
    )
    op.create_index(op.f("ix_restricted_record_service_id"), "restricted_record", ["service_id"], unique=False)
    op.create_table(
        "review_link",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("service_id", sa.String(length=36), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_review_link")),
    )
    op.create_index(op.f("ix_review_link_service_id"), "review_link", ["service_id"], unique=False)
    op.create_table(
        "service_entry",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("interpreters", sa.Boolean(), nullable=False),
        sa.Column("minimum_age", sa.Float(), nullable=True),
        sa.Column("maximum_age", sa.Float(), nullable=True),
        sa.Column("gender", sa.String(length=20), nullable=True),
        sa.Column("places", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("open_on_holidays", sa.Boolean(), nullable=False),
        sa.Column("assured_date", sa.String(length=10), nullable=True),
        sa.Column("checked", sa.String(length=10), nullable=True),
        sa.Column("full_until", sa.String(length=10), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_service_entry")),
    )
    op.create_index(op.f("ix_service_entry_country"), "service_entry", ["country"], unique=False)
    op.create_index("ix_service_entry_country_kind", "service_entry", ["country", "kind"], unique=False)
    op.create_index(op.f("ix_service_entry_service_id"), "service_entry", ["service_id"], unique=False)
    op.create_table(
        "service_words",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(length=36), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_service_words")),
        sa.UniqueConstraint("service_id", name=op.f("uq_service_words_service_id")),
    )
    op.create_table(
        "starter_load",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_starter_load")),
    )
    op.create_table(
        "taxonomy",
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomy")),
    )
    op.create_table(
        "translation",
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "field", "language", name=op.f("pk_translation")),
    )
    op.create_table(
        "verification_call",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(length=36), nullable=False),
        sa.Column("phone_id", sa.String(length=36), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_verification_call")),
    )
    op.create_index(op.f("ix_verification_call_phone_id"), "verification_call", ["phone_id"], unique=False)
    op.create_index(op.f("ix_verification_call_service_id"), "verification_call", ["service_id"], unique=False)
    op.create_table(
        "location",
        sa.Column("location_type", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("alternate_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("transportation", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("external_identifier", sa.Text(), nullable=True),
        sa.Column("external_identifier_type", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_location_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
    )
    op.create_index(
        "ix_location_organization_id",
        "location",
        ["organization_id"],
        unique=False,
        sqlite_where=sa.text("organization_id IS NOT NULL"),
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    )
    op.create_table(
        "organization_identifier",
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("identifier_scheme", sa.Text(), nullable=True),
        sa.Column("identifier_type", sa.Text(), nullable=True),
        sa.Column("identifier", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_organization_identifier_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_identifier")),
    )
    op.create_index(
        "ix_organization_identifier_organization_id",
        "organization_identifier",
        ["organization_id"],
        unique=False,
        sqlite_where=sa.text("organization_id IS NOT NULL"),
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    )
    op.create_table(
        "program",
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("alternate_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_program_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program")),
    )
    op.create_index(
        "ix_program_organization_id",
        "program",
        ["organization_id"],
        unique=False,
        sqlite_where=sa.text("organization_id IS NOT NULL"),
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    )
    op.create_table(
        "taxonomy_term",
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("taxonomy", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("taxonomy_id", sa.String(length=36), nullable=True),
        sa.Column("term_uri", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["taxonomy_id"], ["taxonomy.id"], name=op.f("fk_taxonomy_term_taxonomy_id_taxonomy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomy_term")),
    )
    op.create_index(
        "ix_taxonomy_term_taxonomy_id",
        "taxonomy_term",
        ["taxonomy_id"],
        unique=False,
        sqlite_where=sa.text("taxonomy_id IS NOT NULL"),
        postgresql_where=sa.text("taxonomy_id IS NOT NULL"),
    )
    op.create_table(
        "accessibility",
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_accessibility_location_id_location")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accessibility")),
    )
    op.create_index(
        "ix_accessibility_location_id",
        "accessibility",
        ["location_id"],
        unique=False,
        sqlite_where=sa.text("location_id IS NOT NULL"),
        postgresql_where=sa.text("location_id IS NOT NULL"),
    )
    op.create_table(
        "address",
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("attention", sa.Text(), nullable=True),
        sa.Column("address_1", sa.Text(), nullable=True),
        sa.Column("address_2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("state_province", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("address_type", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_address_location_id_location")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
    )
    op.create_index(
        "ix_address_location_id",
        "address",
        ["location_id"],
        unique=False,
        sqlite_where=sa.text("location_id IS NOT NULL"),
        postgresql_where=sa.text("location_id IS NOT NULL"),
    )
    op.create_table(
        "attribute",
        sa.Column("link_id", sa.String(length=36), nullable=True),
        sa.Column("taxonomy_term_id", sa.String(length=36), nullable=True),
        sa.Column("link_type", sa.Text(), nullable=True),
        sa.Column("link_entity", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["taxonomy_term_id"], ["taxonomy_term.id"], name=op.f("fk_attribute_taxonomy_term_id_taxonomy_term")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribute")),
    )
    op.create_index(op.f("ix_attribute_link_id"), "attribute", ["link_id"], unique=False)
    op.create_index(
        "ix_attribute_taxonomy_term_id",
        "attribute",
        ["taxonomy_term_id"],
        unique=False,
        sqlite_where=sa.text("taxonomy_term_id IS NOT NULL"),
        postgresql_where=sa.text("taxonomy_term_id IS NOT NULL"),
    )
    op.create_table(
        "service",
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("program_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("alternate_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("interpretation_services", sa.Text(), nullable=True),
        sa.Column("application_process", sa.Text(), nullable=True),
        sa.Column("fees_description", sa.Text(), nullable=True),
        sa.Column("wait_time", sa.Text(), nullable=True),
        sa.Column("fees", sa.Text(), nullable=True),
        sa.Column("accreditations", sa.Text(), nullable=True),
        sa.Column("eligibility_description", sa.Text(), nullable=True),
        sa.Column("minimum_age", sa.Float(), nullable=True),
        sa.Column("maximum_age", sa.Float(), nullable=True),
        sa.Column("assured_date", sa.Text(), nullable=True),
        sa.Column("assurer_email", sa.Text(), nullable=True),
        sa.Column("licenses", sa.Text(), nullable=True),
        sa.Column("alert", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_service_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("fk_service_program_id_program")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
    )
    op.create_index(
        "ix_service_organization_id",
        "service",
        ["organization_id"],
        unique=False,
        sqlite_where=sa.text("organization_id IS NOT NULL"),
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    )
    op.create_index(
        "ix_service_program_id",
        "service",
        ["program_id"],
        unique=False,
        sqlite_where=sa.text("program_id IS NOT NULL"),
        postgresql_where=sa.text("program_id IS NOT NULL"),
    )
    op.create_table(
        "cost_option",
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("valid_from", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.Text(), nullable=True),
        sa.Column("option", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("amount", sa.Float(), nullable=True),
        sa.Column("amount_description", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_cost_option_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_option")),
    )
    op.create_index(
        "ix_cost_option_service_id",
        "cost_option",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_table(
        "funding",
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_funding_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_funding_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_funding")),
    )
    op.create_index(
        "ix_funding_organization_id",
        "funding",
        ["organization_id"],
        unique=False,
        sqlite_where=sa.text("organization_id IS NOT NULL"),
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    )
    op.create_index(
        "ix_funding_service_id",
        "funding",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_table(
        "required_document",
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_required_document_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_required_document")),
    )
    op.create_index(
        "ix_required_document_service_id",
        "required_document",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_table(
        "service_area",
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("extent", sa.Text(), nullable=True),
        sa.Column("extent_type", sa.Text(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_area_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_area")),
    )
    op.create_index(
        "ix_service_area_service_id",
        "service_area",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_table(
        "service_at_location",
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_service_at_location_location_id_location")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_at_location_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_at_location")),
    )
    op.create_index(
        "ix_service_at_location_location_id",
        "service_at_location",
        ["location_id"],
        unique=False,
        sqlite_where=sa.text("location_id IS NOT NULL"),
        postgresql_where=sa.text("location_id IS NOT NULL"),
    )
    op.create_index(
        "ix_service_at_location_service_id",
        "service_at_location",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_table(
        "contact",
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("service_at_location_id", sa.String(length=36), nullable=True),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_contact_location_id_location")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_contact_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["service_at_location_id"],
            ["service_at_location.id"],
            name=op.f("fk_contact_service_at_location_id_service_at_location"),
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_contact_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(
        "ix_contact_location_id",
        "contact",
        ["location_id"],
        unique=False,
        sqlite_where=sa.text("location_id IS NOT NULL"),
        postgresql_where=sa.text("location_id IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_organization_id",
        "contact",
        ["organization_id"],
        unique=False,
        sqlite_where=sa.text("organization_id IS NOT NULL"),
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_service_at_location_id",
        "contact",
        ["service_at_location_id"],
        unique=False,
        sqlite_where=sa.text("service_at_location_id IS NOT NULL"),
        postgresql_where=sa.text("service_at_location_id IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_service_id",
        "contact",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_table(
        "schedule",
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("service_at_location_id", sa.String(length=36), nullable=True),
        sa.Column("valid_from", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.Text(), nullable=True),
        sa.Column("dtstart", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Float(), nullable=True),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("count", sa.Float(), nullable=True),
        sa.Column("wkst", sa.Text(), nullable=True),
        sa.Column("freq", sa.Text(), nullable=True),
        sa.Column("interval", sa.Float(), nullable=True),
        sa.Column("byday", sa.Text(), nullable=True),
        sa.Column("byweekno", sa.Text(), nullable=True),
        sa.Column("bymonthday", sa.Text(), nullable=True),
        sa.Column("byyearday", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("opens_at", sa.Text(), nullable=True),
        sa.Column("closes_at", sa.Text(), nullable=True),
        sa.Column("schedule_link", sa.Text(), nullable=True),
        sa.Column("attending_type", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_schedule_location_id_location")),
        sa.ForeignKeyConstraint(
            ["service_at_location_id"],
            ["service_at_location.id"],
            name=op.f("fk_schedule_service_at_location_id_service_at_location"),
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_schedule_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
    )
    op.create_index(
        "ix_schedule_location_id",
        "schedule",
        ["location_id"],
        unique=False,
        sqlite_where=sa.text("location_id IS NOT NULL"),
        postgresql_where=sa.text("location_id IS NOT NULL"),
    )
    op.create_index(
        "ix_schedule_service_at_location_id",
        "schedule",
        ["service_at_location_id"],
        unique=False,
        sqlite_where=sa.text("service_at_location_id IS NOT NULL"),
        postgresql_where=sa.text("service_at_location_id IS NOT NULL"),
    )
    op.create_index(
        "ix_schedule_service_id",
        "schedule",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_table(
        "phone",
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("contact_id", sa.String(length=36), nullable=True),
        sa.Column("service_at_location_id", sa.String(length=36), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("extension", sa.Float(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_phone_contact_id_contact")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_phone_location_id_location")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_phone_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["service_at_location_id"],
            ["service_at_location.id"],
            name=op.f("fk_phone_service_at_location_id_service_at_location"),
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_phone_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone")),
    )
    op.create_index(
        "ix_phone_contact_id",
        "phone",
        ["contact_id"],
        unique=False,
        sqlite_where=sa.text("contact_id IS NOT NULL"),
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.create_index(
        "ix_phone_location_id",
        "phone",
        ["location_id"],
        unique=False,
        sqlite_where=sa.text("location_id IS NOT NULL"),
        postgresql_where=sa.text("location_id IS NOT NULL"),
    )
    op.create_index(
        "ix_phone_organization_id",
        "phone",
        ["organization_id"],
        unique=False,
        sqlite_where=sa.text("organization_id IS NOT NULL"),
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    )
    op.create_index(
        "ix_phone_service_at_location_id",
        "phone",
        ["service_at_location_id"],
        unique=False,
        sqlite_where=sa.text("service_at_location_id IS NOT NULL"),
        postgresql_where=sa.text("service_at_location_id IS NOT NULL"),
    )
    op.create_index(
        "ix_phone_service_id",
        "phone",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_table(
        "language",
        sa.Column("service_id", sa.String(length=36), nullable=True),
        sa.Column("location_id", sa.String(length=36), nullable=True),
        sa.Column("phone_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(length=100), nullable=True),
        sa.Column("imported", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_language_location_id_location")),
        sa.ForeignKeyConstraint(["phone_id"], ["phone.id"], name=op.f("fk_language_phone_id_phone")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_language_service_id_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_language")),
    )
    op.create_index(
        "ix_language_location_id",
        "language",
        ["location_id"],
        unique=False,
        sqlite_where=sa.text("location_id IS NOT NULL"),
        postgresql_where=sa.text("location_id IS NOT NULL"),
    )
    op.create_index(
        "ix_language_phone_id",
        "language",
        ["phone_id"],
        unique=False,
        sqlite_where=sa.text("phone_id IS NOT NULL"),
        postgresql_where=sa.text("phone_id IS NOT NULL"),
    )
    op.create_index(
        "ix_language_service_id",
        "language",
        ["service_id"],
        unique=False,
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
