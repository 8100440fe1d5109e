SELECT CONCAT('{"id":', "bookshop_edition"."id",
  ',"book":{"title":', to_json("bookshop_book"."title"), '}}') AS "json_"
FROM "bookshop_edition"
INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
WHERE "bookshop_edition"."id" = ANY(ARRAY(SELECT "bookshop_edition"."id" AS "pk_"
    FROM "bookshop_edition"
    ORDER BY "bookshop_edition"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_edition"."id" DESC
-- {0} {1}
