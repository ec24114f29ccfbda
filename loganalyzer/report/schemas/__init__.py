"""JSON Schemas of the JSON documents."""
