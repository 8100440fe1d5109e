SELECT ('{"id":' || "bookshop_publisher"."id" ||
  ',"name":' || json_quote("bookshop_publisher"."name") || '}') AS "json_"
FROM "bookshop_publisher"
WHERE "bookshop_publisher"."id" IN (SELECT "bookshop_publisher"."id" AS "pk_"
  FROM "bookshop_publisher"
  ORDER BY "bookshop_publisher"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_publisher"."id" DESC
-- {0} {1}
