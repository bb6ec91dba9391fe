"""Loads a few invented people and their invoices, so that there is somebody to write to, and something about."""

from pathlib import Path
from typing import Any

from bson import json_util
from pymongo import MongoClient, UpdateOne

from local_stack.mongodb import DATABASE

_FILE = Path(__file__).with_name("sample_people.json")


def load_sample_people(mongodb_url: str) -> None:
    """Insert what is missing; what is there already stays as it is."""
    people: dict[str, list[dict[str, Any]]] = json_util.loads(_FILE.read_text(encoding="utf-8"))
    client: MongoClient[dict[str, Any]] = MongoClient(mongodb_url, serverSelectionTimeoutMS=10_000)
    with client:
        database = client.get_default_database(DATABASE)
        for collection, rows in people.items():
            database[collection].bulk_write(
                [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in rows], ordered=False
            )
