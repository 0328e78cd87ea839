-- One event: the state of a customer's review of a product at `updated_at`.
CREATE TABLE product_reviews (
  product_id        BIGINT NOT NULL COMMENT 'product',
  customer_id       STRING NOT NULL CHECK (customer_id <> '') COMMENT 'who wrote it',
  rating            INT COMMENT '1 to 5',
  title             STRING,
  body              STRING,
  status            STRING COMMENT 'PUBLISHED, HIDDEN or REMOVED',
  verified_purchase BOOLEAN,
  updated_at        TIMESTAMP NOT NULL COMMENT 'last change of the review'
)
