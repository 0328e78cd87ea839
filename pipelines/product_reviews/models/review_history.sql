SELECT
  product_id,
  customer_id,
  rating,
  status
FROM events
