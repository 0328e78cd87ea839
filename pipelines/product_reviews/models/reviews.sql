SELECT
  product_id,
  customer_id,
  rating,
  title,
  body,
  status,
  verified_purchase,
  updated_at,
  _rescued_data
FROM events
