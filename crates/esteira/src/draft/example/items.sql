-- A row per item. An inner query passes everything on with `*`, so that each row knows its event.
SELECT
  id,
  item['name']     AS name,
  item['quantity'] AS quantity,
  item['price']    AS price
FROM (SELECT *, unnest(items) AS item FROM events)
