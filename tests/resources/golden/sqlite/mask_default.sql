SELECT ('{"id":' || "bookshop_book"."id" ||
  ',"title":' || json_quote("bookshop_book"."title") ||
  ',"status":' || json_quote("bookshop_book"."status") ||
  ',"price":' || (COALESCE('"' || (CASE
        WHEN "bookshop_book"."price" IS NOT NULL THEN printf('%%.2f', "bookshop_book"."price") END) || '"', 'null')) ||
  ',"publisher_id":' || COALESCE("bookshop_book"."publisher_id", 'null') || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
