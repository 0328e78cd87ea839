SELECT
  product_id,
  customer_id,
  status,
  rating,
  updated_at
FROM events
