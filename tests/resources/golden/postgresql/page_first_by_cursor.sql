SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_", CONCAT('[', "bookshop_book"."id", ']') AS "keys_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- {0}
