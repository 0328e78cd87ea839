-- One SELECT over `events`. Lineage columns (`_source_file`, `_source_modified`, `_source_position`,
-- `_processed_at`) are added to every table.
SELECT
  id,
  status,
  amount,
  updated_at,
  _rescued_data
FROM events
