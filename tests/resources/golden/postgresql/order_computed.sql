SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY ("bookshop_book"."price" * %s) ASC, "bookshop_book"."id" ASC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY ("bookshop_book"."price" * %s) ASC, "bookshop_book"."id" ASC
-- 2 {0} {1} 2
