SELECT ('{"double_price":' || (COALESCE('"' || (backstay_decimal((CAST(("bookshop_book"."price" * %s) AS NUMERIC)), 12, 2)) || '"', 'null')) || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- 2 {0} {1}
