-- One event: the state of a thing at `updated_at`. Types are those of Spark SQL: STRING, BOOLEAN, INT,
-- BIGINT, DOUBLE, DATE, TIMESTAMP, DECIMAL(p,s), ARRAY<…>, STRUCT<name: …>.
-- NOT NULL: an event without it goes to the quarantine; so does one with an empty text that has a CHECK.
CREATE TABLE {{table}} (
  id         STRING NOT NULL CHECK (id <> '') COMMENT 'what the event is about',
  updated_at TIMESTAMP NOT NULL               COMMENT 'RFC 3339 with an offset',
  status     STRING,
  amount     DECIMAL(18,2)                    COMMENT 'exact, rounded half-even',
  items      ARRAY<STRUCT<
    name: STRING,
    quantity: BIGINT,
    price: DECIMAL(18,2)
  >>
)
