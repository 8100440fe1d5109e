SELECT ('{"id":' || "bookshop_book"."id" ||
  ',"publisher":' || CASE
  WHEN "bookshop_book"."publisher_id" IS NULL THEN 'null'
  ELSE ('{"id":' || "bookshop_book"."publisher_id" ||
    ',"name":' || json_quote("bookshop_publisher"."name") || '}') END || '}') AS "json_"
FROM "bookshop_book"
LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
