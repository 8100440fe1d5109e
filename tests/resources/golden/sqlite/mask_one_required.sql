SELECT ('{"id":' || "bookshop_edition"."id" ||
  ',"book":{"title":' || json_quote("bookshop_book"."title") || '}}') AS "json_"
FROM "bookshop_edition"
INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
WHERE "bookshop_edition"."id" IN (SELECT "bookshop_edition"."id" AS "pk_"
  FROM "bookshop_edition"
  ORDER BY "bookshop_edition"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_edition"."id" DESC
-- {0} {1}
