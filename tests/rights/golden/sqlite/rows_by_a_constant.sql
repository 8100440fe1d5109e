SELECT ('{"id":' || "bookshop_book"."id" ||
  ',"title":' || json_quote("bookshop_book"."title") || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  WHERE "bookshop_book"."status" = %s
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- active {0} {1}
