SELECT CONCAT('{"id":', "bookshop_book"."id",
  ',"title":', to_json("bookshop_book"."title"), '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    WHERE "bookshop_book"."status" = %s
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- active {0} {1}
