SELECT CONCAT('{"id":', "bookshop_bill"."id", '}') AS "json_"
FROM "bookshop_bill"
WHERE "bookshop_bill"."id" = ANY(ARRAY(SELECT "bookshop_bill"."id" AS "pk_"
    FROM "bookshop_bill"
    WHERE "bookshop_bill"."fee" >= %s::bigint
    ORDER BY "bookshop_bill"."fee" ASC, "bookshop_bill"."id" ASC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_bill"."fee" ASC, "bookshop_bill"."id" ASC
-- {0} {1} {2}
